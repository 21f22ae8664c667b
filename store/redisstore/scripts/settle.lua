-- Ends attempts that came together, each as if it were alone.
--
-- KEYS: partition, lock, held, stop, then the record of each job
-- ARGV: token, session id, then for each job: number of the claim, state, delay in
--       milliseconds, value of the running job if it is as it was claimed, '' for unknown,
--       outcome without the progress, size of the summary in it; with a value the
--       outcome is the whole record of the completed job
-- Returns 'lost'; or the states of the jobs, a letter each, '-' for a claim that is lost.

local PER_JOB = 6
local LOST = '-'

if not owns(KEYS[2], ARGV[1]) then return 'lost' end

go_on_without_memory()

local session, stop = ARGV[2], KEYS[4]
local ids = {}
for i = 5, #KEYS do ids[i - 4] = id_of(KEYS[i]) end
local values = call('HMGET', partition .. ':running', unpack(ids))

local over, is_over = {}, {} -- jobs that leave the session

local function leaves(id)
  is_over[id] = true
  over[#over + 1] = id
end

-- settled_before tells what an earlier run of this step, or an earlier call, did.
local function settled_before(record, claim)
  local text = call('GETRANGE', record, 0, HEAD_SIZE - 1)
  if text == '' then return LOST end
  local job = read(text)
  if job[MARK_SESSION] ~= session or job[MARK_NUMBER] ~= claim then return LOST end
  if not NAMES_OF_STATES[job[MARK_STATE]] then return LOST end -- it was released
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

-- complete ends a job that is as it was claimed: its record came with the call.
local function complete(id, record, text)
  leaves(id)
  local expires = time_text(now + struct.unpack('<I6', text, RETENTION_AT))
  call('SET', record, text, 'PXAT', expires)
  note_expiry(expires, flagged(text, OWNED) and id .. owner_of(names_of(read(text), text)) or id)
  counts.r = counts.r - 1
  changed(id)
  return COMPLETED
end

-- settle_changed ends a job with what is known of it here.
local function settle_changed(id, record, value, claim, state, delay, rest, size)
  leaves(id)
  local start = start_of(record)
  if not start then -- removed by other hands
    counts.r = counts.r - 1
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
    retry_later(record, id, job, names, delay, outcome_head(progress, size) .. rest)
  elseif state == CANCELED then
    finish(id, job, names, left_of(id, job, progress))
  else
    finish(id, job, names, progress, size, rest)
  end
  counted(RUNNING, state, job, names)
  changed(id)
  return state
end

local function settle(i)
  local record, id, value, a = KEYS[i + 4], ids[i], values[i], 2 + (i - 1) * PER_JOB
  local as_claimed, text, size = ARGV[a + 4], ARGV[a + 5], ARGV[a + 6]
  if value and value == as_claimed and not is_over[id] then return complete(id, record, text) end

  local claim, state, delay = tonumber(ARGV[a + 1]), ARGV[a + 2], tonumber(ARGV[a + 3])
  if not value or is_over[id] or session_of(value) ~= session or claim_of(value) ~= claim then
    return settled_before(record, claim)
  end
  if as_claimed ~= '' then -- the outcome is behind head and names, with an empty progress
    text = string.sub(text, struct.unpack('<I4', text, LENGTH_AT) + 9)
  end
  return settle_changed(id, record, value, claim, state, delay, text, size)
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
