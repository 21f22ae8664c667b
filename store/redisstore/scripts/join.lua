-- Opens a session whose lock was just obtained.
--
-- KEYS: partition, lock, session
-- ARGV: token, session id, name of the worker
-- Returns 'lost' when the lock is not there any more, else 1.

--+ base
--+ more

if not owns(KEYS[2], ARGV[1]) then return 'lost' end
go_on_without_memory()

call('ZADD', partition .. ':sessions', now + call('PTTL', KEYS[2]), ARGV[2])
call('HSET', KEYS[3], 'worker', ARGV[3], 'joined', now)
return 1
