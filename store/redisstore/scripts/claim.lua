-- Claims jobs for a session: queues what is due, then takes from the head of each line.
--
-- KEYS: partition, lock, held, session
-- ARGV: token, session id, number of the call, then for each queue: its name and the
--       most jobs to take
-- Returns 'lost'; or how many milliseconds it is until the next job of these queues is
-- due, -1 for none, and for each claim the values of CLAIMED, its id and the payload.

-- How many due jobs of a queue one call lines up, and after how many bytes of payloads it
-- claims no more: an answer has to arrive in time. There may be more: then the next job
-- is due at once.
local MOST_DUE = 256
local MOST_BYTES = 4 * 1024 * 1024
-- How many ids of a line are looked at together, and how often at most.
local MOST_IDS = 500
local MOST_LOOKS = 20

if not owns(KEYS[2], ARGV[1]) then return 'lost' end

-- CLAIMED are the fields of a claimed job.
local CLAIMED = { 'v', 'n', 'c', 's', 'm', 'q', 'o', 'rt', 'cr', 'rd', 'st', 'ca', 'p', 'd' }

local held, session = KEYS[3], KEYS[4]
local replies = { -1 }

local function due_in(milliseconds)
  milliseconds = math.max(milliseconds, 0)
  if replies[1] < 0 or milliseconds < replies[1] then replies[1] = milliseconds end
end

local function queue_due(queue)
  local waiting = partition .. ':due:' .. queue
  local due = call('ZRANGE', waiting, '-inf', now_us, 'BYSCORE', 'LIMIT', 0, MOST_DUE)
  local there = {}
  for _, id in ipairs(due) do
    local version = call('HGET', record_of(id), 'v')
    if version then -- else the job was removed by other hands
      there[#there + 1] = id
      call('HSET', record_of(id), 's', 'queued', 'v', version + 1)
      counted('scheduled', 'queued')
      changed(id, version + 1)
    end
  end
  if #due > 0 then call('ZREM', waiting, unpack(due)) end
  if #there > 0 then call('RPUSH', partition .. ':line:' .. queue, unpack(there)) end
  return #there
end

local function next_due(queue)
  local first = call('ZRANGE', partition .. ':due:' .. queue, 0, 0, 'WITHSCORES')
  if first[2] then due_in(math.ceil((first[2] - now_us) / 1000)) end
end

-- show adds a claim to the replies, without its payload.
local function show(id, job)
  job[#CLAIMED + 1] = id
  replies[#replies + 1] = job
end

-- show_payloads completes them.
local function show_payloads()
  local requests = {}
  for i = 2, #replies do requests[i - 1] = request_of(replies[i][#CLAIMED + 1]) end
  for first = 1, #requests, 1000 do
    local payloads = call('MGET', unpack(requests, first, math.min(first + 999, #requests)))
    for i, payload in ipairs(payloads) do replies[first + i][#CLAIMED + 2] = payload end
  end
end

local calls = call('HMGET', session, 'call', 'from', 'claims', 'joined')
-- A lock without its session is what a fail-over can leave: recovery would not know
-- of the claims.
if not calls[4] then return 'lost' end

-- A repeated call gets what the first run of it got: its reply was lost.
if calls[1] == ARGV[3] then
  for _, ref in ipairs(call('ZRANGE', held, calls[2], '+inf', 'BYSCORE')) do
    local id = string.sub(ref, 1, ID_LENGTH)
    show(id, call('HMGET', record_of(id), unpack(CLAIMED)))
  end
  show_payloads()
  for i = 4, #ARGV, 2 do next_due(ARGV[i]) end
  return replies
end

go_on_without_memory()

local claims = tonumber(calls[3]) or 0
local from = claims + 1
local refs = {}
local bytes = 0 -- of the payloads

-- WITH_SIZE also has the number of bytes of the payload and whether the owner's waiting jobs
-- are counted; show and show_payloads put id and payload in their places.
local WITH_SIZE = { unpack(CLAIMED) }
WITH_SIZE[#WITH_SIZE + 1] = 'b'
WITH_SIZE[#WITH_SIZE + 1] = 'w'

-- take claims the job if it is there and waits; other hands may have removed it.
local function take(id)
  local record = record_of(id)
  local job = call('HMGET', record, unpack(WITH_SIZE))
  if job[4] ~= 'queued' then return false end
  claims = claims + 1
  bytes = bytes + job[#WITH_SIZE - 1]
  job[1], job[2], job[3], job[4], job[11] = job[1] + 1, job[2] + 1, job[3] + 1, 'in_progress', now
  call('HSET', record, 'v', job[1], 'n', job[2], 'c', job[3], 's', job[4], 'st', now, 'h', ARGV[2])
  refs[#refs + 1] = claims
  refs[#refs + 1] = id .. ':' .. job[3]
  counted('queued', 'in_progress', job[#WITH_SIZE] and job[7])
  changed(id, job[1])
  show(id, job)
  return true
end

-- take_first claims the first jobs of a line, as many as are wanted and fit, and returns
-- how many it claimed and how many ids there were.
local function take_first(line, most)
  local ids = call('LRANGE', line, 0, math.min(most, MOST_IDS) - 1)
  local taken, seen = 0, 0
  while seen < #ids and bytes < MOST_BYTES do
    seen = seen + 1
    if take(ids[seen]) then taken = taken + 1 end
  end
  if seen > 0 then call('LTRIM', line, seen, -1) end
  return taken, #ids
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

if #refs > 0 then
  in_parts('ZADD', held, refs)
  call('HSET', session, 'call', ARGV[3], 'from', from, 'claims', claims)
  show_payloads()
end
write_counts()
return replies
