-- Cancels a job that waits, or marks one that runs.
--
-- KEYS: partition, record of the job
-- Returns the view of the job after the call, or false when there is none.

--+ base
--+ more
--+ layout
--+ record
--+ change
--+ line
--+ finish

go_on_without_memory()

local id = id_of(KEYS[2])
local start = start_of(KEYS[2])
if not start then return false end
local value = call('HGET', partition .. ':running', id)
local job = value and run_of(start, value) or read(start)

local function end_waiting()
  local from, names = job[STATE], names_of(job, start)
  local queue, entry = queue_of(names), stored_entry(id)
  if from == QUEUED then
    call('LREM', partition .. ':line:' .. queue, -1, entry)
  else
    call('ZREM', partition .. ':due:' .. queue, entry)
  end
  job[STATE], job[VERSION] = CANCELED, job[VERSION] + 1
  finish(id, job, names, left_of(id, job, nil))
  write_finished()
  counted(from, CANCELED, job, names)
end

local function ask_to_stop()
  job[CANCEL_ASKED], job[VERSION] = now, job[VERSION] + 1
  call('HSET', partition .. ':running', id, changed_value(job, value, progress_of(value)))
  local session = session_of(value)
  call('SADD', partition .. ':stop:' .. session, id)
  hint(':stop:' .. session, id)
end

if job[STATE] == QUEUED or job[STATE] == SCHEDULED then
  end_waiting()
  changed(id)
elseif job[STATE] == RUNNING and job[CANCEL_ASKED] == 0 then
  ask_to_stop()
  changed(id)
end
conclude()
return view(id)
