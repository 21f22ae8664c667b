-- Takes back a job that waits, has not been claimed and was not handed out by its key,
-- as if it had not been created.
--
-- KEYS: partition, record of the job
-- Returns 1 when the job is gone, 0 when it stays.

local id = string.sub(KEYS[2], -ID_LENGTH)
local job = call('HMGET', KEYS[2], 's', 'c', 'q', 'o', 'k', 'u', 'w')
if not job[1] then return 1 end
if job[2] ~= '0' or job[6] then return 0 end
if job[1] == 'queued' then
  call('LREM', partition .. ':line:' .. job[3], -1, id)
elseif job[1] == 'scheduled' then
  call('ZREM', partition .. ':due:' .. job[3], id)
else
  return 0
end
if job[5] then call('DEL', partition .. ':key:' .. job[5]) end
call('ZREM', partition .. ':owner:' .. (job[4] or ''), id)
call('DEL', KEYS[2], request_of(id))
counted(job[1], nil, job[7] and job[4])
write_counts()
changed(id, 0)
return 1
