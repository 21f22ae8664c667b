-- Stores jobs that came together, each as if it were alone.
--
-- KEYS: partition, then the record of each job
-- ARGV: for each job: its record behind the times, delay in milliseconds, bound, bound of
--       the owner
-- Returns the time of their creation when all were stored; else for each job that time;
-- 'full'; 'owner full'; 'reused'; or the id and the view of the job that was there, which
-- is the job itself when this call is a repeated one.

local PER_JOB = 4
-- What comes lacks the times, which are in front.
local TIMES_SIZE = 18
local NAMES_AT = HEAD_SIZE - TIMES_SIZE + 1

local function will_be(rest, flag) return string.byte(rest, FLAGS_AT - TIMES_SIZE) % (2 * flag) >= flag end

local stats = call('HMGET', partition, 'order', 'queued', 'scheduled')
-- The order of creation rises within the partition and is comparable with that of
-- others: it is the time in microseconds.
local order = math.max(tonumber(stats[1]) or 0, now_us - 1)
local waiting = (tonumber(stats[2]) or 0) + (tonumber(stats[3]) or 0)
local lines, owners = {}, {}
local all_new = true

local function list_of(lists, name)
  local list = lists[name]
  if not list then
    list = {}
    lists[name] = list
  end
  return list
end

local function found(id)
  all_new = false
  local seen = view(id)
  return { id, unpack(seen) }
end

local function refused(why)
  all_new = false
  return why
end

-- holder returns the id of the job that has the key, and its fingerprint.
local function holder(digest)
  local id = call('GET', partition .. ':key:' .. digest)
  local start = id and start_of(record_of(id))
  if not start then return nil end
  local job = read(start)
  local _, fingerprint = key_of(names_of(job, start))
  return id, fingerprint, job
end

-- hand_out returns a job to somebody who has its key: it cannot be withdrawn any more.
local function hand_out(id, job)
  set(job, GIVEN)
  call('SETRANGE', record_of(id), FLAGS_AT - 1, string.char(job[FLAGS]))
  return found(id)
end

-- times are the times of a new record, by the delay.
local times = {}

local function times_of(delay)
  local text = times[delay]
  if not text then
    local due = delay == '0' and 0 or now + delay
    text = struct.pack('<I6I6I6', now, now + delay, due)
    times[delay] = text
  end
  return text
end

-- owner_is_full tells whether as many jobs of the owner wait as may, with those of this call.
local function owner_is_full(rest, bound)
  local _, owner = struct.unpack('<I2c0I2c0', rest, NAMES_AT)
  local before = tonumber(call('HGET', partition .. ':waiting', owner)) or 0
  return before + (owners_waiting[owner] or 0) >= tonumber(bound)
end

-- add stores the job unless it is there.
local function add(record, id, rest, delay)
  local text = times_of(delay) .. rest
  if not call('SET', record, text, 'NX') then return found(id) end
  local queue, owner = struct.unpack('<I2c0I2c0', rest, NAMES_AT)
  local entry = entry_of(id, #text)
  if delay == '0' then
    local line = list_of(lines, queue)
    line[#line + 1] = entry
    counts.q = counts.q + 1
  else
    schedule(entry, queue, tonumber(delay))
    counts.s = counts.s + 1
  end
  if will_be(rest, BOUND) then owners_waiting[owner] = (owners_waiting[owner] or 0) + 1 end
  order = order + 1
  waiting = waiting + 1
  local index = list_of(owners, owner)
  index[#index + 1] = string.format('%d', order)
  index[#index + 1] = id
  return now
end

local function create(record, rest, delay, bound, owner_bound)
  local id = id_of(record)
  local keyed = will_be(rest, KEYED)
  local digest
  if keyed then
    local fingerprint
    digest, fingerprint = key_of(string.sub(rest, NAMES_AT))
    local held_by, its, job = holder(digest)
    if held_by and its ~= fingerprint then return refused('reused') end
    if held_by then return hand_out(held_by, job) end
  end
  local full = will_be(rest, BOUND) and owner_is_full(rest, owner_bound) and 'owner full'
    or bound ~= '0' and waiting >= tonumber(bound) and 'full'
  if full then
    if call('EXISTS', record) == 1 then return found(id) end
    return refused(full)
  end
  local reply = add(record, id, rest, delay)
  if keyed and reply == now then call('SET', partition .. ':key:' .. digest, id) end
  return reply
end

local replies = {}
for i = 2, #KEYS do
  local a = (i - 2) * PER_JOB
  replies[i - 1] = create(KEYS[i], ARGV[a + 1], ARGV[a + 2], ARGV[a + 3], ARGV[a + 4])
end
for owner, entries in pairs(owners) do
  call('ZADD', partition .. ':owner:' .. owner, unpack(entries))
end
for queue, entries in pairs(lines) do line_up(queue, 'RPUSH', entries) end
-- This is written by a repeated call too: a server lets WAIT wait for a connection's own
-- writes only.
call('HSET', partition, 'order', string.format('%d', order))
conclude()
return all_new and now or replies
