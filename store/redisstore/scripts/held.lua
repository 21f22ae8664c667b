-- How jobs leave the session that held them without being settled.

-- let_go takes a job out of the hands of its session and reads it; what becomes of it is
-- written next. False: it was removed by other hands.
local function let_go(one, held, stop)
  call('HDEL', partition .. ':running', one.id)
  call('SREM', held, one.id)
  call('SREM', stop, one.id)
  local record = record_of(one.id)
  one.size = call('STRLEN', record)
  if one.size == 0 then return false end
  local start = start_of(record)
  one.job, one.progress = run_of(start, one.value), progress_of(one.value)
  one.names = names_of(one.job, start)
  changed(one.id)
  return true
end

-- put_back writes the head of a job that will run again, and what it reported.
local function put_back(one, state)
  local job = one.job
  job[STATE], job[VERSION] = state, job[VERSION] + 1
  if one.progress ~= '' or has(job, APART) then
    local progress, size, rest = left_of(one.id, job, one.progress)
    call('SET', outcome_of(one.id), outcome_head(progress, size) .. rest)
    set(job, APART)
  end
  call('SETRANGE', record_of(one.id), 0, head(job))
  counted(RUNNING, state, job, one.names)
end

local function end_held(one, state, progress, size, rest)
  local job = one.job
  job[STATE], job[VERSION] = state, job[VERSION] + 1
  finish(one.id, job, one.names, progress, size, rest)
  counted(RUNNING, state, job, one.names)
end

local function cancel_held(one) end_held(one, CANCELED, left_of(one.id, one.job, one.progress)) end

local function queue_held(one)
  put_back(one, QUEUED)
  line_up(queue_of(one.names), 'LPUSH', { entry_of(one.id, one.size) })
end

-- release gives up a claim as if it had not been made.
local function release(one, delay)
  if one.job[CANCEL_ASKED] > 0 then return cancel_held(one) end
  one.job[ATTEMPT] = one.job[ATTEMPT] - 1
  if delay == 0 then return queue_held(one) end
  one.job[DUE] = now + delay
  put_back(one, SCHEDULED)
  schedule(entry_of(one.id, one.size), queue_of(one.names), delay)
end
