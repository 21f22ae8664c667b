-- Stores the progress of an attempt.
--
-- KEYS: partition, lock, record of the job
-- ARGV: token, session id, number of the claim, number of the call, progress
-- Returns 'lost' or 1.

--+ base
--+ more
--+ layout
--+ record
--+ change

if not owns(KEYS[2], ARGV[1]) then return 'lost' end
local id = id_of(KEYS[3])
local value = call('HGET', partition .. ':running', id)
if not value or session_of(value) ~= ARGV[2] then return 'lost' end
local start = start_of(KEYS[3])
if not start or claim_of(value) ~= tonumber(ARGV[3]) then return 'lost' end

-- A repeated call finds its own report.
if string.match(progress_of(value), '^%S+ (%S+) ') == ARGV[4] then return 1 end

go_on_without_memory()

local job = run_of(start, value)
job[VERSION] = job[VERSION] + 1
local progress = string.format('%d', now) .. ' ' .. ARGV[4] .. ' ' .. ARGV[5]
call('HSET', partition .. ':running', id, changed_value(job, value, progress))
changed(id)
conclude()
return 1
