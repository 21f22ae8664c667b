-- Claims jobs for a session: queues what is due, then takes from the head of each line.
--
-- KEYS: partition, lock, held, session
-- ARGV: token, session id, number of the call, then for each queue: its name and the
--       most jobs to take
-- Returns 'lost'; or how many milliseconds it is until the next job of these queues is
-- due, -1 for none, the time of the claims, the number of the first one among those of the
-- session, 0 when the call is a repeated one, and for each claim the id, the record, and
-- the summary of an earlier outcome or ''.

-- How many due jobs of a queue one call lines up, and after how many bytes it claims no
-- more: an answer has to arrive in time. There may be more: then the next job is due at
-- once.
local MOST_DUE = 256
local MOST_BYTES = 4 * 1024 * 1024
-- How many jobs of a line are looked at together, and how often at most.
local MOST_IDS = 500
local MOST_LOOKS = 20

if not owns(KEYS[2], ARGV[1]) then return 'lost' end

local held, session = KEYS[3], KEYS[4]
local replies = { -1, now, 0 }

local function due_in(milliseconds)
  milliseconds = math.max(milliseconds, 0)
  if replies[1] < 0 or milliseconds < replies[1] then replies[1] = milliseconds end
end

local function queue_due(queue)
  local waiting = partition .. ':due:' .. queue
  local due = call('ZRANGE', waiting, '-inf', now_us, 'BYSCORE', 'LIMIT', 0, MOST_DUE)
  if #due == 0 then return 0 end
  local there = {}
  for _, entry in ipairs(due) do
    local id = string.sub(entry, 1, ID_LENGTH)
    local text = call('GETRANGE', record_of(id), 0, HEAD_SIZE - 1)
    if text ~= '' then -- else the job was removed by other hands
      local job = read(text)
      job[STATE], job[VERSION] = QUEUED, job[VERSION] + 1
      call('SETRANGE', record_of(id), 0, head(job))
      there[#there + 1] = entry
      counts.s, counts.q = counts.s - 1, counts.q + 1 -- it waits on
      changed(id)
    end
  end
  call('ZREM', waiting, unpack(due))
  if #there > 0 then call('RPUSH', partition .. ':line:' .. queue, unpack(there)) end
  return #there
end

local function next_due(queue)
  local first = call('ZRANGE', partition .. ':due:' .. queue, 0, 0, 'WITHSCORES')
  if first[2] then due_in(math.ceil((first[2] - now_us) / 1000)) end
end

local function show(id, record)
  local n = #replies
  replies[n + 1], replies[n + 2] = id, record
  replies[n + 3] = flagged(record, APART) and summary_of(id) or ''
end

local calls = call('HMGET', session, 'call', 'from', 'claims', 'joined')
-- A lock without its session is what a fail-over can leave: recovery would not know
-- of the claims.
if not calls[4] then return 'lost' end

-- A repeated call gets what the first run of it got: its reply was lost.
if calls[1] == ARGV[3] then
  for _, one in ipairs(held_jobs(ARGV[2], held, tonumber(calls[2]))) do
    local record = call('GET', record_of(one.id))
    if record then
      replies[2] = started_of(one.value)
      show(one.id, record)
    end
  end
  for i = 4, #ARGV, 2 do next_due(ARGV[i]) end
  return replies
end

go_on_without_memory()

local claims = tonumber(calls[3]) or 0
local from = claims + 1
local values, ids_taken = {}, {}
local bytes = 0 -- of the records

local mine, at_now = ARGV[2], struct.pack('<I6', now)

-- take claims a job if it is there and waits; other hands may have removed it.
local function take(id, record)
  if not record or state_in(record) ~= QUEUED then return false end
  show(id, record)
  claims = claims + 1
  local n = #values
  values[n + 1] = id
  values[n + 2] = mine .. struct.pack('<I6', claims) .. at_now .. struct.pack('<I6', struct.unpack('<I6', record, CLAIM_AT) + 1)
  ids_taken[#ids_taken + 1] = id
  bytes = bytes + #record
  if flagged(record, BOUND) then
    local job = read(record)
    counted(QUEUED, RUNNING, job, names_of(job, record))
  else
    counts.q, counts.r = counts.q - 1, counts.r + 1
  end
  changed(id)
  return true
end

-- fitting returns the ids and the keys of the first entries of a line that fit.
local function fitting(entries)
  local ids, keys, large = {}, {}, 0
  for i, entry in ipairs(entries) do
    if bytes + large >= MOST_BYTES then break end
    if #entry > ID_LENGTH then large = large + string.sub(entry, ID_LENGTH + 2) end
    ids[i] = string.sub(entry, 1, ID_LENGTH)
    keys[i] = record_of(ids[i])
  end
  return ids, keys
end

-- take_first claims the first jobs of a line, as many as are wanted and fit, and returns
-- how many it claimed and how many entries there were.
local function take_first(line, most)
  local entries = call('LRANGE', line, 0, math.min(most, MOST_IDS) - 1)
  if #entries == 0 then return 0, 0 end
  local ids, keys = fitting(entries)
  local taken = 0
  if #keys > 0 then
    local records = call('MGET', unpack(keys))
    for i = 1, #keys do
      if take(ids[i], records[i]) then taken = taken + 1 end
    end
    call('LTRIM', line, #keys, -1)
  end
  return taken, #entries
end

local function take_from(queue, most)
  local line = partition .. ':line:' .. queue
  for _ = 1, MOST_LOOKS do
    if most <= 0 then return end
    local taken, there = take_first(line, most)
    if there == 0 then return end
    most = most - taken
    if bytes >= MOST_BYTES then break end
  end
  if most > 0 and call('EXISTS', line) == 1 then due_in(0) end
end

for i = 4, #ARGV, 2 do
  local queue, most = ARGV[i], tonumber(ARGV[i + 1])
  local due = queue_due(queue)
  take_from(queue, most)
  if due > 0 and call('EXISTS', partition .. ':line:' .. queue) == 1 then wake(queue) end
  next_due(queue)
end

if #ids_taken > 0 then
  replies[3] = from
  in_parts('HSET', partition .. ':running', values)
  in_parts('SADD', held, ids_taken)
  call('HSET', session, 'call', ARGV[3], 'from', from, 'claims', claims)
end
conclude()
return replies
