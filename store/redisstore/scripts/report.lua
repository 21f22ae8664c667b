-- Stores the progress of an attempt.
--
-- KEYS: partition, lock, record of the job
-- ARGV: token, session id, number of the claim, number of the call, progress
-- Returns 'lost' or 1.

if not owns(KEYS[2], ARGV[1]) then return 'lost' end
local id = id_of(KEYS[3])
local value = call('HGET', partition .. ':running', id)
if not value or session_of(value) ~= ARGV[2] then return 'lost' end
local job = read(value, RUNNING_HEAD)
if job[CLAIM] ~= tonumber(ARGV[3]) then return 'lost' end

-- A repeated call finds its own report.
if string.match(progress_of(job, value), '^%S+ (%S+) ') == ARGV[4] then return 1 end

go_on_without_memory()

job[VERSION] = job[VERSION] + 1
local progress = string.format('%d', now) .. ' ' .. ARGV[4] .. ' ' .. ARGV[5]
local names = names_of(job, value, RUNNING_HEAD)
call('HSET', partition .. ':running', id, running_value(ARGV[2], turn_of(value), job, names, progress))
changed(id)
conclude()
return 1
