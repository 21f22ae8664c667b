-- Notes that the lease of a session began anew, and tells what is known of its jobs. A
-- lock that ran out is taken back, unless recovery has taken the session.
--
-- KEYS: partition, lock, held, stop
-- ARGV: token, session id, lease in milliseconds
-- Returns 'lost', or id and number of the claim of the jobs held, and of those that were
-- asked to stop.

--+ base
--+ more
--+ layout
--+ record

local sessions = partition .. ':sessions'
local holder = call('GET', KEYS[2])
if holder and holder ~= ARGV[1] then return 'lost' end
-- Recovery marks a session that it has begun to take by a deadline of 0.
if (tonumber(call('ZSCORE', sessions, ARGV[2])) or 0) == 0 then return 'lost' end

go_on_without_memory()

if not holder then call('SET', KEYS[2], ARGV[1], 'PX', ARGV[3]) end
call('ZADD', sessions, now + call('PTTL', KEYS[2]), ARGV[2])

local function claims_of(ids)
  local claims = {}
  for i, value in ipairs(many_of('HMGET', partition .. ':running', ids)) do
    if value and session_of(value) == ARGV[2] then
      claims[#claims + 1] = ids[i]
      claims[#claims + 1] = claim_of(value)
    end
  end
  return claims
end

return { claims_of(call('SMEMBERS', KEYS[3])), claims_of(call('SMEMBERS', KEYS[4])) }
