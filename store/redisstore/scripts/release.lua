-- Gives back one job, its attempt not counted.
--
-- KEYS: partition, lock, held, stop, session, record of the job
-- ARGV: token, number of the claim, delay in milliseconds, number of the call
-- Returns 'lost' or 1.

local id = string.sub(KEYS[6], -ID_LENGTH)
local ref = id .. ':' .. ARGV[2]
if not owns(KEYS[2], ARGV[1]) then return 'lost' end

-- A repeated call finds what the first run of it did: at the job, unless others have
-- released it meanwhile, or at the session, unless it has released others.
local mark = ARGV[2] .. ' released ' .. ARGV[4]
if call('ZREM', KEYS[3], ref) == 0 then -- frees memory, so the rest is not refused
  if call('HGET', KEYS[6], 'x') == mark or call('HGET', KEYS[5], 'released') == mark then return 1 end
  return 'lost'
end

local job = call('HMGET', KEYS[6], unpack(HELD))
if job[6] then call('SREM', KEYS[4], ref) end
if not job[1] then return 1 end -- the job was removed by other hands
call('HSET', KEYS[6], 'x', mark)
call('HSET', KEYS[5], 'released', mark)
release(id, job, tonumber(ARGV[3]))
write_finished()
write_counts()
return 1
