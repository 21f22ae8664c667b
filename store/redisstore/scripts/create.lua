-- Stores jobs that came together, each as if it were alone.
--
-- KEYS: partition, then the record of each job
-- ARGV: for each job: its record behind the times, delay in milliseconds, bound, bound of
--       the owner
-- Returns the time of their creation when all were stored; else for each job that time;
-- 'full'; 'owner full'; 'reused'; or the id and the view of the job that was there, which
-- is the job itself when this call is a repeated one.

--+ base
--+ layout

local PER_JOB = 4
local NAMES_AT = HEAD_SIZE - TIMES_SIZE + 1

local stats = call('HMGET', partition, 'order', 'queued', 'scheduled')
-- The order of creation rises within the partition and is comparable with that of
-- others: it is the time in microseconds.
local order = math.max(tonumber(stats[1]) or 0, now_us - 1)
local waiting = (tonumber(stats[2]) or 0) + (tonumber(stats[3]) or 0)
local added = 0

-- What many jobs have in common: lines by queue, indexes by owner, times by delay.
local lines, indexes, times = {}, {}, { ['0'] = struct.pack('<I6I6I6', now, now, 0) }
-- What few jobs need: functions, and counts by owner.
local tools, delayed, owners_waiting = nil, 0, {}

local function rarely()
  if tools then return tools end
  --+ more
  --+ record
  --+ change
  --+ line
  tools = {}
  function tools.found(id) return { id, unpack(view(id) or {}) } end

  -- wait_for_time schedules a job that has just been stored.
  function tools.wait_for_time(entry, queue, delay)
    schedule(entry, queue, tonumber(delay))
    delayed = delayed + 1
  end

  -- by_key returns what is to be said when the key of a job is taken, nil when it is free.
  -- A job that somebody else got by its key cannot be withdrawn any more; the one that is
  -- to be created is there when the call is a repeated one.
  function tools.by_key(own, digest, fingerprint)
    local id = call('GET', partition .. ':key:' .. digest)
    local seen = id and view(id)
    if not seen then return nil end
    local job = read(seen[1])
    local _, its = key_of(names_of(job, seen[1]))
    if its ~= fingerprint then return 'reused' end
    if id ~= own then
      set(job, GIVEN)
      call('SETRANGE', record_of(id), FLAGS_AT - 1, string.char(job[FLAGS]))
    end
    return { id, unpack(seen) }
  end
  tools.key_of, tools.entry_of = key_of, entry_of
  return tools
end

-- refused tells why there is no room for a job; nil: there is.
local function refused(owner, bound, owner_bound, flags)
  if flags >= BOUND then
    local before = tonumber(call('HGET', partition .. ':waiting', owner)) or 0
    if before + (owners_waiting[owner] or 0) >= tonumber(owner_bound) then return 'owner full' end
  end
  if bound ~= '0' and waiting >= tonumber(bound) then return 'full' end
end

-- create returns what is to be said of one job.
local function create(record, rest, delay, bound, owner_bound)
  local id, flags = string.sub(record, -ID_LENGTH), string.byte(rest, FLAGS_AT - TIMES_SIZE)
  local queue, owner = struct.unpack('<I2c0I2c0', rest, NAMES_AT)
  local digest
  if flags % (2 * KEYED) >= KEYED then
    local fingerprint
    digest, fingerprint = rarely().key_of(string.sub(rest, NAMES_AT))
    local taken = rarely().by_key(id, digest, fingerprint)
    if taken then return taken end
  end
  local why = refused(owner, bound, owner_bound, flags)
  if why then return call('EXISTS', record) == 1 and rarely().found(id) or why end

  times[delay] = times[delay] or struct.pack('<I6I6I6', now, now + delay, now + delay)
  local text = times[delay] .. rest
  if not call('SET', record, text, 'NX') then return rarely().found(id) end
  if digest then call('SET', partition .. ':key:' .. digest, id) end
  if flags >= BOUND then owners_waiting[owner] = (owners_waiting[owner] or 0) + 1 end
  waiting, added, order = waiting + 1, added + 1, order + 1
  local index = indexes[owner] or {}
  indexes[owner] = index
  index[#index + 1], index[#index + 2] = string.format('%d', order), id
  local entry = #text > LARGE and rarely().entry_of(id, #text) or id
  if delay == '0' then
    local line = lines[queue] or {}
    lines[queue] = line
    line[#line + 1] = entry
  else
    rarely().wait_for_time(entry, queue, delay)
  end
  return now
end

local replies = {}
for i = 2, #KEYS do
  local a = (i - 2) * PER_JOB
  replies[i - 1] = create(KEYS[i], ARGV[a + 1], ARGV[a + 2], ARGV[a + 3], ARGV[a + 4])
end
for owner, entries in pairs(indexes) do call('ZADD', partition .. ':owner:' .. owner, unpack(entries)) end
for queue, entries in pairs(lines) do
  -- Whoever found the line filled already was woken when that began.
  if call('RPUSH', partition .. ':line:' .. queue, unpack(entries)) == #entries then
    redis.pcall('PUBLISH', partition .. ':arrived', queue)
  end
end
for owner, n in pairs(owners_waiting) do call('HINCRBY', partition .. ':waiting', owner, n) end
if added > delayed then call('HINCRBY', partition, 'queued', added - delayed) end
if delayed > 0 then call('HINCRBY', partition, 'scheduled', delayed) end
-- This is written by a repeated call too: a server lets WAIT wait for a connection's own
-- writes only.
call('HSET', partition, 'order', string.format('%d', order))
return added == #replies and now or replies
