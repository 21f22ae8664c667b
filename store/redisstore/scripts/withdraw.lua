-- Takes back a job that waits, has not been claimed and was not handed out by its key,
-- as if it had not been created.
--
-- KEYS: partition, record of the job
-- Returns 1 when the job is gone, 0 when it stays.

--+ base
--+ more
--+ layout
--+ record
--+ change
--+ line

local id = id_of(KEYS[2])
local start = start_of(KEYS[2])
if not start then return 1 end
local job, names = read(start), nil
if job[CLAIM] > 0 or has(job, GIVEN) or call('HEXISTS', partition .. ':running', id) == 1 then return 0 end
names = names_of(job, start)
if job[STATE] == QUEUED then
  call('LREM', partition .. ':line:' .. queue_of(names), -1, stored_entry(id))
elseif job[STATE] == SCHEDULED then
  call('ZREM', partition .. ':due:' .. queue_of(names), stored_entry(id))
else
  return 0
end
if has(job, KEYED) then call('DEL', partition .. ':key:' .. key_of(names)) end
call('ZREM', partition .. ':owner:' .. owner_of(names), id)
call('DEL', KEYS[2])
counted(job[STATE], nil, job, names)
changed(id)
conclude()
return 1
