-- Cancels a job that waits, or marks one that runs.
--
-- KEYS: partition, record of the job
-- Returns the values of FIELDS after the call.

go_on_without_memory()

local id = string.sub(KEYS[2], -ID_LENGTH)
local job = call('HMGET', KEYS[2], 's', 'v', 'q', 'ca', 'e', 'o', 'k', 'h', 'c', 'w')
local state, queue = job[1], job[3]

local function end_waiting()
  call('HSET', KEYS[2], 's', 'canceled', 'v', job[2] + 1, 'fi', now)
  finish(id, 'canceled', job[5], job[6], job[7])
  write_finished()
  counted(state, 'canceled', job[10] and job[6])
  write_counts()
  changed(id, job[2] + 1)
end

if state == 'queued' then
  call('LREM', partition .. ':line:' .. queue, -1, id)
  end_waiting()
elseif state == 'scheduled' then
  call('ZREM', partition .. ':due:' .. queue, id)
  end_waiting()
elseif state == 'in_progress' and not job[4] then
  call('HSET', KEYS[2], 'ca', now, 'v', job[2] + 1)
  call('SADD', partition .. ':stop:' .. job[8], id .. ':' .. job[9])
  hint(':stop:' .. job[8], id)
  changed(id, job[2] + 1)
end
return view(KEYS[2])
