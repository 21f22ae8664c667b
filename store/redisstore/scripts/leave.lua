-- Gives back jobs of a session that leaves, from the last claim to the first, so that
-- they stand at the head of their queues in the order they were claimed in. The call
-- that finds no more ends the session.
--
-- KEYS: partition, lock, held, stop, session
-- ARGV: token, session id, most jobs
-- Returns 'lost', or how many jobs were given back.

--+ base
--+ more
--+ layout
--+ record
--+ change
--+ line
--+ finish
--+ holds
--+ held
--+ tidy

if not owns(KEYS[2], ARGV[1]) then return 'lost' end

go_on_without_memory()

local jobs = held_jobs(ARGV[2], KEYS[3], 0)
local first = math.max(#jobs - ARGV[3], 0) + 1
for i = #jobs, first, -1 do
  if let_go(jobs[i], KEYS[3], KEYS[4]) then release(jobs[i], 0) end
end
write_finished()
conclude()
if #jobs == 0 then
  call('ZREM', partition .. ':sessions', ARGV[2])
  call('DEL', KEYS[3], KEYS[4], KEYS[5])
  tidy()
end
return #jobs - first + 1
