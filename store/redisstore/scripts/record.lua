-- Reading and writing records, whose layout is in layout.lua.

local function has(job, flag) return job[FLAGS] % (2 * flag) >= flag end
local function set(job, flag) if not has(job, flag) then job[FLAGS] = job[FLAGS] + flag end end
local function unset(job, flag) if has(job, flag) then job[FLAGS] = job[FLAGS] - flag end end

-- read returns the fields of a record.
local function read(text) return { struct.unpack(HEAD, text) } end

local function state_in(text) return string.sub(text, STATE_AT, STATE_AT) end
local function flagged(text, flag) return string.byte(text, FLAGS_AT) % (2 * flag) >= flag end

-- head returns the head of a job.
local function head(job) return struct.pack(HEAD, unpack(job, 1, FIELDS)) end

-- names_of returns the names of a record as they stand there.
local function names_of(job, text) return string.sub(text, HEAD_SIZE + 1, job[LENGTH]) end

-- The names are the queue, the owner, the route, and if there is an idempotency key its
-- digest and the fingerprint.
local DIGEST_LENGTH = 22

local function queue_of(names) return (struct.unpack('<I2c0', names)) end

local function owner_of(names)
  local _, owner = struct.unpack('<I2c0I2c0', names)
  return owner
end

local function route_of(names)
  local _, _, route = struct.unpack('<I2c0I2c0I2c0', names)
  return route
end

local function key_of(names)
  local _, _, _, key = struct.unpack('<I2c0I2c0I2c0I2c0', names)
  return string.sub(key, 1, DIGEST_LENGTH), string.sub(key, DIGEST_LENGTH + 1)
end

-- An outcome is the length of its summary, the summary, and the recorded response. The
-- summary is the latest progress, the response without its content, and the problem; each
-- is behind its length.
local NOTHING = '\0\0\0\0'

-- outcome_head returns what stands in an outcome before the rest of its summary, which has
-- that many bytes.
local function outcome_head(progress, size)
  if progress == '' then return struct.pack('<I4', size + 4) .. NOTHING end
  return struct.pack('<I4I4', size + 4 + #progress, #progress) .. progress
end

-- start_of returns what a record has in front of its payload or its data; nil when there
-- is no record. Most of them are shorter than FIRST_LOOK.
local FIRST_LOOK = 512

local function start_of(record)
  local text = call('GETRANGE', record, 0, FIRST_LOOK - 1)
  if text == '' then return nil end
  local state = state_in(text)
  local needed = struct.unpack('<I4', text, LENGTH_AT)
  if state == COMPLETED or state == CANCELED then
    if #text < needed + 4 then text = call('GETRANGE', record, 0, needed + 3) end
    needed = needed + 4 + struct.unpack('<I4', text, needed + 1)
  end
  if #text < needed then return call('GETRANGE', record, 0, needed - 1) end
  return string.sub(text, 1, needed)
end

-- summary_of returns an outcome with a key of its own without its data; '' for none.
local function summary_of(id)
  local text = call('GETRANGE', outcome_of(id), 0, FIRST_LOOK - 1)
  if text == '' then return '' end
  local needed = 4 + struct.unpack('<I4', text)
  if #text < needed then return call('GETRANGE', outcome_of(id), 0, needed - 1) end
  return string.sub(text, 1, needed)
end

-- The parts of the value of a running job.
local function session_of(value) return string.sub(value, 1, 12) end
local function claim_of(value) return (struct.unpack('<I6', value, 25)) end
local function turn_of(value) return (struct.unpack('<I6', value, 13)) end
local function started_of(value) return (struct.unpack('<I6', value, 19)) end
local function progress_of(value) return string.sub(value, CLAIMED_SIZE + CHANGED_SIZE + 1) end

-- run_of returns the fields of a running job.
local function run_of(record, value)
  local job = read(record)
  job[STATE], job[STARTED] = RUNNING, started_of(value)
  job[VERSION], job[ATTEMPT], job[CLAIM] = job[VERSION] + 1, job[ATTEMPT] + 1, job[CLAIM] + 1
  if #value > CLAIMED_SIZE then
    job[VERSION], job[CANCEL_ASKED] = struct.unpack(CHANGED, value, CLAIMED_SIZE + 1)
  end
  return job
end

-- changed_value returns the value of a running job that is another one now.
local function changed_value(job, value, progress)
  return string.sub(value, 1, CLAIMED_SIZE) .. struct.pack(CHANGED, job[VERSION], job[CANCEL_ASKED]) .. progress
end

-- view returns what callers read of a job: the start of its record, the value of a
-- running one or '', the summary of an outcome with a key of its own or '', and when a job
-- that is over expires or ''.
local function view(id)
  local start = start_of(record_of(id))
  if not start then return nil end
  local seen = { start, '', flagged(start, APART) and summary_of(id) or '', '' }
  local state = state_in(start)
  if state == QUEUED then
    seen[2] = call('HGET', partition .. ':running', id) or ''
  elseif state ~= SCHEDULED then
    local owner = flagged(start, OWNED) and owner_of(names_of(read(start), start)) or ''
    seen[4] = call('ZSCORE', partition .. ':expiry', id .. owner)
    if not seen[4] then return nil end -- it expires at this moment
  end
  return seen
end
