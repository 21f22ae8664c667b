-- Ends attempts that came together, each as if it were alone.
--
-- KEYS: partition, lock, held, stop, then the record of each job
-- ARGV: token, session id, then for each job: number of the claim, state, delay in
--       milliseconds, outcome without the progress, size of the summary in it
-- Returns 'lost'; or the states of the jobs, a letter each, '-' for a claim that is lost.

--+ base
--+ more
--+ layout
--+ record
--+ change
--+ line
--+ finish

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
  local job = read(text)
  if job[MARK_SESSION] ~= session or job[MARK_NUMBER] ~= claim then return LOST end
  return job[MARK_STATE]
end

local function retry_later(record, id, job, names, delay, left)
  job[DUE] = now + delay
  job[READY] = job[DUE]
  set(job, APART)
  call('SETRANGE', record, 0, head(job))
  call('SET', outcome_of(id), left)
  schedule(stored_entry(id), queue_of(names), delay)
end

local function settle(i)
  local record, id, value, a = KEYS[i + 4], ids[i], values[i], 2 + (i - 1) * PER_JOB
  local claim, state, rest, size = tonumber(ARGV[a + 1]), ARGV[a + 2], ARGV[a + 4], ARGV[a + 5]
  if not value or is_over[id] or session_of(value) ~= session or claim_of(value) ~= claim then
    return settled_before(record, claim)
  end
  is_over[id] = true
  over[#over + 1] = id
  local start = start_of(record)
  if not start then -- removed by other hands
    return LOST
  end
  local job, progress = run_of(start, value), progress_of(value)
  local names = names_of(job, start)
  if job[CANCEL_ASKED] > 0 then
    state = CANCELED
    call('SREM', stop, id)
  end
  job[STATE], job[VERSION] = state, job[VERSION] + 1
  job[MARK_STATE], job[MARK_NUMBER], job[MARK_SESSION] = state, claim, session
  if state == SCHEDULED then
    retry_later(record, id, job, names, tonumber(ARGV[a + 3]), outcome_head(progress, size) .. rest)
  elseif state == CANCELED then
    finish(id, job, names, left_of(id, job, progress))
  else
    finish(id, job, names, progress, size, rest)
  end
  counted(RUNNING, state, job, names)
  changed(id)
  return state
end

local states = {}
for i = 1, #ids do states[i] = settle(i) end
if #over > 0 then
  call('HDEL', partition .. ':running', unpack(over))
  call('SREM', KEYS[3], unpack(over))
end
write_finished()
conclude()
return table.concat(states)
