-- Claims jobs for a session: queues what is due, then takes from the head of each line.
--
-- KEYS: partition, lock, held, session
-- ARGV: token, session id, number of the call, then for each queue: its name and the
--       most jobs to take
-- Returns 'lost'; or how many milliseconds it is until the next job of these queues is
-- due, -1 for none, the time of the claims, the number of the first one among those of the
-- session, 0 when the call is a repeated one, and for each claim the id, the record, and
-- the summary of an earlier outcome or ''.

--+ base
--+ layout

-- How many due jobs of a queue one call lines up, and after how many bytes it claims no
-- more: an answer has to arrive in time. There may be more: then the next job is due at
-- once.
local MOST_DUE, MOST_BYTES = 256, 4194304
-- How many jobs of a line are looked at together, and how often at most.
local MOST_IDS, MOST_LOOKS = 500, 20

local calls = call('HMGET', KEYS[4], 'call', 'from', 'claims', 'joined')
-- A lock without its session is what a fail-over can leave: recovery would not know
-- of the claims.
if call('GET', KEYS[2]) ~= ARGV[1] or not calls[4] then return 'lost' end

local session, again = ARGV[2], calls[1] == ARGV[3]
local replies = { -1, now, 0 }
local claims = tonumber(calls[3]) or 0
local values, taken, bytes = {}, {}, 0 -- of records

-- What few claims need.
local tools

local function rarely()
  if tools then return tools end
  --+ more
  --+ record
  --+ change
  --+ holds
  tools = {}

  -- repeat_claims answers a repeated call with what the first run of it got: its reply was
  -- lost.
  function tools.repeat_claims()
    for _, one in ipairs(held_jobs(session, KEYS[3], tonumber(calls[2]))) do
      local record = call('GET', record_of(one.id))
      if record then
        replies[2] = started_of(one.value)
        replies[#replies + 1], replies[#replies + 2] = one.id, record
        replies[#replies + 1] = flagged(record, APART) and summary_of(one.id) or ''
      end
    end
  end

  -- line_up_due moves the jobs that are due into the line, and returns whether there were
  -- any.
  function tools.line_up_due(queue, due)
    call('ZREM', partition .. ':due:' .. queue, unpack(due)) -- frees memory, so the rest is not refused
    local there = {}
    for _, entry in ipairs(due) do
      local record = record_of(string.sub(entry, 1, ID_LENGTH))
      local text = call('GETRANGE', record, 0, HEAD_SIZE - 1)
      if text ~= '' then -- else the job was removed by other hands
        local job = read(text)
        job[STATE], job[VERSION] = QUEUED, job[VERSION] + 1
        call('SETRANGE', record, 0, head(job))
        there[#there + 1] = entry
        counts.s, counts.q = counts.s - 1, counts.q + 1
        changed(string.sub(entry, 1, ID_LENGTH))
      end
    end
    if #there > 0 then call('RPUSH', partition .. ':line:' .. queue, unpack(there)) end
    return #there > 0
  end

  -- owner_waits_less counts a job that was created under the bound of its owner.
  function tools.owner_waits_less(record)
    local job = read(record)
    local n = counts.q
    counted(QUEUED, nil, job, names_of(job, record))
    counts.q = n -- all jobs of this call are counted together
  end
  tools.summary_of, tools.wake, tools.changed, tools.conclude = summary_of, wake, changed, conclude
  return tools
end

-- take claims a job if it is there and waits; other hands may have removed it.
local at_now = struct.pack('<I6', now)

local function take(id, record)
  if not record or string.sub(record, STATE_AT, STATE_AT) ~= QUEUED then return 0 end
  claims, bytes = claims + 1, bytes + #record
  local flags, n = string.byte(record, FLAGS_AT), #values
  values[n + 1] = id
  values[n + 2] = session .. struct.pack('<I6', claims) .. at_now
    .. struct.pack('<I6', struct.unpack('<I6', record, CLAIM_AT) + 1)
  n = #replies
  replies[n + 1], replies[n + 2], replies[n + 3] = id, record, ''
  if flags % (2 * APART) >= APART then replies[n + 3] = rarely().summary_of(id) end
  if flags >= BOUND then rarely().owner_waits_less(record) end
  taken[#taken + 1] = id
  return 1
end

-- take_first claims the first jobs of a line, as many as are wanted and fit, and returns
-- how many it claimed and how many entries there were.
local function take_first(line, most)
  local entries = call('LRANGE', line, 0, math.min(most, MOST_IDS) - 1)
  local ids, keys, large, n = {}, {}, 0, 0
  for i, entry in ipairs(entries) do
    if bytes + large >= MOST_BYTES then break end
    if #entry > ID_LENGTH then large = large + string.sub(entry, ID_LENGTH + 2) end
    ids[i] = string.sub(entry, 1, ID_LENGTH)
    keys[i] = record_of(ids[i])
  end
  if #keys == 0 then return 0, #entries end
  local records = call('MGET', unpack(keys))
  for i = 1, #keys do n = n + take(ids[i], records[i]) end
  call('LTRIM', line, #keys, -1) -- the first write: Redis never refuses it
  return n, #entries
end

if again then rarely().repeat_claims() end
for i = 4, #ARGV, 2 do
  local queue, most = ARGV[i], again and 0 or tonumber(ARGV[i + 1])
  local line, waiting = partition .. ':line:' .. queue, partition .. ':due:' .. queue
  local due, lined_up = call('ZRANGE', waiting, 0, 0, 'WITHSCORES'), false
  if due[2] and not again and tonumber(due[2]) <= now_us then
    due = call('ZRANGE', waiting, '-inf', now_us, 'BYSCORE', 'LIMIT', 0, MOST_DUE)
    lined_up = rarely().line_up_due(queue, due)
    due = call('ZRANGE', waiting, 0, 0, 'WITHSCORES')
  end
  local wait = due[2] and math.max(math.ceil((due[2] - now_us) / 1000), 0)
  for look = 1, MOST_LOOKS do
    if most <= 0 then break end
    local n, there = take_first(line, most)
    if there == 0 then break end
    most = most - n
    if most > 0 and (bytes >= MOST_BYTES or look == MOST_LOOKS) and call('EXISTS', line) == 1 then
      wait = 0
      break
    end
  end
  if lined_up and call('EXISTS', line) == 1 then rarely().wake(queue) end
  if wait and (replies[1] < 0 or wait < replies[1]) then replies[1] = wait end
end

if #taken > 0 then
  replies[3] = claims - #taken + 1
  in_parts('HSET', partition .. ':running', values)
  in_parts('SADD', KEYS[3], taken)
  call('HSET', KEYS[4], 'call', ARGV[3], 'from', replies[3], 'claims', claims)
  call('HINCRBY', partition, 'queued', -#taken)
  if call('EXISTS', partition .. ':watched') == 1 then
    for _, id in ipairs(taken) do rarely().changed(id) end
  end
end
if tools then tools.conclude() end
return replies
