-- Gives back jobs of a session that leaves, from the last claim to the first, so that
-- they stand at the head of their queues in the order they were claimed in. The call
-- that finds no more ends the session.
--
-- KEYS: partition, lock, held, stop, session
-- ARGV: token, session id, most jobs
-- Returns 'lost', or how many jobs were given back.

if not owns(KEYS[2], ARGV[1]) then return 'lost' end

go_on_without_memory()

local refs = call('ZRANGE', KEYS[3], 0, ARGV[3] - 1, 'REV')
for _, ref in ipairs(refs) do
  local id = string.sub(ref, 1, ID_LENGTH)
  local job = call('HMGET', record_of(id), unpack(HELD))
  if job[1] then release(id, job, 0) end
  call('ZREM', KEYS[3], ref)
end
write_finished()
write_counts()
if #refs == 0 then
  call('ZREM', partition .. ':sessions', ARGV[2])
  call('DEL', KEYS[3], KEYS[4], KEYS[5])
  tidy()
end
return #refs
