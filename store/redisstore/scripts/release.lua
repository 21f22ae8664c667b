-- Gives back one job, its attempt not counted.
--
-- KEYS: partition, lock, held, stop, session, record of the job
-- ARGV: token, session id, number of the claim, delay in milliseconds, number of the call
-- Returns 'lost' or 1.

--+ base
--+ more
--+ layout
--+ record
--+ change
--+ line
--+ finish
--+ holds
--+ held

if not owns(KEYS[2], ARGV[1]) then return 'lost' end
go_on_without_memory()

local id, claim, mark = id_of(KEYS[6]), tonumber(ARGV[3]), ARGV[2] .. ARGV[5]
local released = partition .. ':released:' .. id -- for the call that is repeated

-- A repeated call finds what the first run of it did: at the job, unless others have
-- released it meanwhile, or at the session, unless it has released others.
local value = call('HGET', partition .. ':running', id)
if not value or session_of(value) ~= ARGV[2] or claim_of(value) ~= claim then
  local before = call('GET', released) == mark or call('HGET', KEYS[5], 'released') == mark
  return before and 1 or 'lost'
end

local one = { id = id, value = value }
if let_go(one, KEYS[3], KEYS[4]) then release(one, tonumber(ARGV[4])) end
call('SET', released, mark, 'EX', 60)
call('HSET', KEYS[5], 'released', mark)
write_finished()
conclude()
return 1
