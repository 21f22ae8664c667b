-- Removes a job that is over, with all that belongs to it.
--
-- KEYS: partition, record of the job
-- ARGV: number of the call
-- Returns 1; or 0 when there is no such job; or the state of one that is not over.

local id = string.sub(KEYS[2], -ID_LENGTH)
local deleted = partition .. ':deleted:' .. id -- for the call that is repeated
local job = call('HMGET', KEYS[2], 's', 'o', 'k')
if not job[1] then
  if call('GET', deleted) == ARGV[1] then return 1 end
  return 0
end
if job[1] == 'queued' or job[1] == 'scheduled' or job[1] == 'in_progress' then return job[1] end

local owner = job[2] or ''
if job[3] then call('DEL', partition .. ':key:' .. job[3]) end
call('ZREM', partition .. ':owner:' .. owner, id)
call('ZREM', partition .. ':expiry', id .. owner)
call('DEL', KEYS[2], request_of(id), result_of(id))
call('SET', deleted, ARGV[1], 'EX', 60)
changed(id, 0)
return 1
