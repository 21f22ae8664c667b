-- Stores the progress of an attempt.
--
-- KEYS: partition, lock, held, record of the job
-- ARGV: token, number of the claim, progress
-- Returns 'lost' or 1.

local id = string.sub(KEYS[4], -ID_LENGTH)
if not owns(KEYS[2], ARGV[1]) then return 'lost' end
if not call('ZSCORE', KEYS[3], id .. ':' .. ARGV[2]) then return 'lost' end

local version = call('HINCRBY', KEYS[4], 'v', 1)
call('HSET', KEYS[4], 'p', ARGV[2] .. ' ' .. string.format('%.0f', now) .. ' ' .. ARGV[3])
changed(id, version)
return 1
