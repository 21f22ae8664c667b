-- Queues a failed job again.
--
-- KEYS: partition, record of the job
-- ARGV: attempts, number of the call
-- Returns 1 when the job is queued by this call, or was by an earlier run of it, else
-- 0; then the values of FIELDS.

local id = string.sub(KEYS[2], -ID_LENGTH)
local job = call('HMGET', KEYS[2], 's', 'v', 'n', 'q', 'o', 'k', 'y', 'w')
local done = 0
if job[7] == ARGV[2] then
  done = 1
elseif job[1] == 'failed' then
  done = 1
  call('HDEL', KEYS[2], 'r', 'p', 'd')
  call('HSET', KEYS[2], 's', 'queued', 'v', job[2] + 1, 'm', job[3] + ARGV[1], 'rd', now, 'y', ARGV[2])
  call('DEL', result_of(id))
  call('PERSIST', KEYS[2])
  call('PERSIST', request_of(id))
  if job[6] then call('PERSIST', partition .. ':key:' .. job[6]) end
  call('ZREM', partition .. ':expiry', id .. (job[5] or ''))
  line_up(job[4], 'RPUSH', id)
  counted('failed', 'queued', job[8] and job[5])
  write_counts()
  changed(id, job[2] + 1)
end
local values = view(KEYS[2])
table.insert(values, 1, done)
return values
