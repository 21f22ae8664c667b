-- Ends attempts that came together, each as if it were alone.
--
-- KEYS: partition, lock, held, stop, then the record of each job
-- ARGV: token, session id, then for each job: number of the claim, state, delay in
--       milliseconds, outcome without the progress, size of the summary in it
-- Returns 'lost'; or the states of the jobs, a letter each, '-' for a claim that is lost.

local PER_JOB = 5
local LOST = '-'

if not owns(KEYS[2], ARGV[1]) then return 'lost' end

go_on_without_memory()

local session, stop = ARGV[2], KEYS[4]
local ids = {}
for i = 5, #KEYS do ids[i - 4] = id_of(KEYS[i]) end
local values = call('HMGET', partition .. ':running', unpack(ids))

local over, is_over = {}, {} -- jobs that leave the session

-- settled_before tells what an earlier run of this step, or an earlier call, did.
local function settled_before(record, claim)
  local text = call('GETRANGE', record, 0, HEAD_SIZE - 1)
  if text == '' then return LOST end
  local job = read(text, 1)
  if job[MARK_SESSION] ~= session or job[MARK_NUMBER] ~= claim then return LOST end
  if not NAMES_OF_STATES[job[MARK_STATE]] then return LOST end -- it was released
  return job[MARK_STATE]
end

-- retry_later schedules the next attempt; false: the job was removed by other hands.
local function retry_later(record, id, job, names, delay, outcome)
  local size = call('STRLEN', record)
  if size == 0 then return false end
  job[DUE] = now + delay
  job[READY] = job[DUE]
  set(job, APART)
  call('SETRANGE', record, 0, head(job))
  call('SET', outcome_of(id), outcome)
  schedule(entry_of(id, size), queue_of(names), delay)
  return true
end

local function settle(i)
  local record, id, value, a = KEYS[i + 4], ids[i], values[i], 2 + (i - 1) * PER_JOB
  local claim, state = tonumber(ARGV[a + 1]), ARGV[a + 2]
  if not value or is_over[id] or session_of(value) ~= session then return settled_before(record, claim) end
  local job = read(value, RUNNING_HEAD)
  if job[CLAIM] ~= claim then return settled_before(record, claim) end

  is_over[id] = true
  over[#over + 1] = id
  if job[CANCEL_ASKED] > 0 then
    state = CANCELED
    call('SREM', stop, id)
  end
  local names, progress = names_of(job, value, RUNNING_HEAD), progress_of(job, value)
  job[STATE], job[VERSION] = state, job[VERSION] + 1
  job[MARK_STATE], job[MARK_NUMBER], job[MARK_SESSION] = state, claim, session
  local rest, size = ARGV[a + 4], ARGV[a + 5]
  if state == COMPLETED then
    finish(id, job, names, progress, size, rest)
  elseif state == CANCELED then
    finish(id, job, names, left_of(id, job, progress))
  elseif state == SCHEDULED then
    local outcome = outcome_head(progress, size) .. rest
    if not retry_later(record, id, job, names, tonumber(ARGV[a + 3]), outcome) then state = nil end
  elseif call('EXISTS', record) == 1 then
    finish(id, job, names, progress, size, rest)
  else -- removed by other hands
    state = nil
  end
  counted(RUNNING, state, job, names)
  changed(id)
  return state or LOST
end

local states = {}
for i = 1, #ids do
  states[i] = settle(i)
end
if #over > 0 then
  call('HDEL', partition .. ':running', unpack(over))
  call('SREM', KEYS[3], unpack(over))
end
write_finished()
conclude()
return table.concat(states)
