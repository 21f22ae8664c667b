-- Queues a failed job again.
--
-- KEYS: partition, record of the job
-- ARGV: attempts, number of the call
-- Returns false when there is no such job; else 1 when the job is queued by this call, or
-- was by an earlier run of it, else 0; then the view of the job.

--+ base
--+ more
--+ layout
--+ record
--+ change
--+ line

local id = id_of(KEYS[2])
local seen = view(id)
if not seen then return false end
local start = seen[1]
local retried = partition .. ':retried:' .. id -- for the call that is repeated
local job = read(start)
local done = call('GET', retried) == ARGV[2] and 1 or 0
if job[STATE] == FAILED and done == 0 then
  done = 1
  local names = names_of(job, start)
  job[STATE], job[VERSION], job[READY] = QUEUED, job[VERSION] + 1, now
  job[MAX_ATTEMPTS] = job[ATTEMPT] + ARGV[1]
  unset(job, APART)
  call('SETRANGE', KEYS[2], 0, head(job))
  call('PERSIST', KEYS[2])
  call('DEL', outcome_of(id))
  call('SET', retried, ARGV[2], 'EX', 60)
  if has(job, KEYED) then call('PERSIST', partition .. ':key:' .. key_of(names)) end
  call('ZREM', partition .. ':expiry', has(job, OWNED) and id .. owner_of(names) or id)
  line_up(queue_of(names), 'RPUSH', { stored_entry(id) })
  counted(FAILED, QUEUED, job, names)
  changed(id)
  conclude()
end
return { done, unpack(view(id)) }
