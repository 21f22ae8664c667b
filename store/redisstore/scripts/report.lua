-- Stores the progress of an attempt.
--
-- KEYS: partition, lock, held, record of the job
-- ARGV: token, number of the claim, number of the call, progress
-- Returns 'lost' or 1.

local id = string.sub(KEYS[4], -ID_LENGTH)
if not owns(KEYS[2], ARGV[1]) then return 'lost' end
if not call('ZSCORE', KEYS[3], id .. ':' .. ARGV[2]) then return 'lost' end

-- A repeated call finds its own report.
local claim, reported = string.match(call('HGET', KEYS[4], 'p') or '', '^(%S+) %S+ (%S+) ')
if claim == ARGV[2] and reported == ARGV[3] then return 1 end

go_on_without_memory()

local version = call('HINCRBY', KEYS[4], 'v', 1)
call('HSET', KEYS[4], 'p', ARGV[2] .. ' ' .. now .. ' ' .. ARGV[3] .. ' ' .. ARGV[4])
changed(id, version)
return 1
