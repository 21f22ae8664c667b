-- Removes a job that is over, with all that belongs to it.
--
-- KEYS: partition, record of the job
-- ARGV: number of the call
-- Returns 1; 0 when there is no such job; 2 when it is not over.

--+ base
--+ more
--+ layout
--+ record
--+ change

local id = id_of(KEYS[2])
local deleted = partition .. ':deleted:' .. id -- for the call that is repeated
local start = start_of(KEYS[2])
if not start then
  if call('GET', deleted) == ARGV[1] then return 1 end
  return 0
end
local job = read(start)
if job[STATE] == QUEUED or job[STATE] == SCHEDULED then return 2 end

local names = names_of(job, start)
local owner = owner_of(names)
if call('ZREM', partition .. ':expiry', id .. owner) == 0 then return 0 end -- it expires at this moment
if has(job, KEYED) then call('DEL', partition .. ':key:' .. key_of(names)) end
call('ZREM', partition .. ':owner:' .. owner, id)
call('DEL', KEYS[2], outcome_of(id))
call('SET', deleted, ARGV[1], 'EX', 60)
changed(id)
conclude()
return 1
