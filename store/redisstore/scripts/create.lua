-- Stores jobs that came together, each as if it were alone.
--
-- KEYS: partition, then the record of each job
-- ARGV: for each job: queue, owner, route, attempts, delay and retention in
--       milliseconds, payload, key, fingerprint, bound, bound of the owner
-- Returns for each job: the time of its creation; 'full'; 'owner full'; 'reused'; or the
-- id and the values of FIELDS of the job that was there, which is the job itself when
-- this call is a repeated one.

local PER_JOB = 11

local stats = call('HMGET', partition, 'order', 'queued', 'scheduled')
-- The order of creation rises within the partition and is comparable with that of
-- others: it is the time in microseconds.
local order = math.max(tonumber(stats[1]) or 0, now_us - 1)
local waiting = (tonumber(stats[2]) or 0) + (tonumber(stats[3]) or 0)
-- None of the jobs is there, unless the call is a repeated one.
local repeated = call('EXISTS', unpack(KEYS, 2)) > 0
local lines, owners = {}, {}

-- collect puts values behind those of a name.
local function collect(lists, name, ...)
  local list = lists[name]
  if not list then
    list = {}
    lists[name] = list
  end
  for _, value in ipairs({ ... }) do list[#list + 1] = value end
end

local function found(record, id)
  local values = view(record)
  table.insert(values, 1, id)
  return values
end

-- holder returns the record of the job that has the key, and its id.
local function holder(key)
  local id = call('GET', partition .. ':key:' .. key)
  if id and call('EXISTS', record_of(id)) == 1 then return record_of(id), id end
end

-- hand_out returns a job to somebody who has its key: it cannot be withdrawn any more.
local function hand_out(record, id)
  call('HSET', record, 'u', 1)
  return found(record, id)
end

-- owner_is_full tells whether as many jobs of the owner wait as may, with those of this call.
local function owner_is_full(owner, bound)
  local before = tonumber(call('HGET', partition .. ':waiting', owner)) or 0
  return before + (owners_waiting[owner] or 0) >= bound
end

-- add stores the job whose arguments stand behind the a-th.
local function add(record, id, a, bounded)
  local queue, owner, delay, key = ARGV[a + 1], ARGV[a + 2], tonumber(ARGV[a + 5]), ARGV[a + 8]
  local state = 'queued'
  local more = {}
  if owner ~= '' then more = { 'o', owner } end
  if bounded then
    more[#more + 1] = 'w'
    more[#more + 1] = 1
  end
  if key ~= '' then
    for _, value in ipairs({ 'k', key, 'f', ARGV[a + 9] }) do more[#more + 1] = value end
    call('SET', partition .. ':key:' .. key, id)
  end
  if delay > 0 then
    state = 'scheduled'
    more[#more + 1] = 'du'
    more[#more + 1] = now + delay
    schedule(id, queue, delay)
  else
    collect(lines, queue, id)
  end
  call('HSET', record, 's', state, 'v', 1, 'n', 0, 'c', 0, 'm', ARGV[a + 4], 'q', queue, 'rt', ARGV[a + 3],
    'cr', now, 'rd', now + delay, 'e', ARGV[a + 6], 'b', #ARGV[a + 7], unpack(more))
  call('SET', request_of(id), ARGV[a + 7])
  order = order + 1
  collect(owners, owner, order, id)
  counted(nil, state, bounded and owner)
  return now
end

local function create(record, a)
  local id = string.sub(record, -ID_LENGTH)
  if repeated and call('EXISTS', record) == 1 then return found(record, id) end
  local key, bound = ARGV[a + 8], tonumber(ARGV[a + 10])
  if key ~= '' then
    local held, held_by = holder(key)
    if held and call('HGET', held, 'f') ~= ARGV[a + 9] then return 'reused' end
    if held then return hand_out(held, held_by) end
  end
  local owner, owner_bound = ARGV[a + 2], tonumber(ARGV[a + 11])
  local bounded = owner_bound > 0 and owner ~= ''
  if bounded and owner_is_full(owner, owner_bound) then return 'owner full' end
  if bound > 0 and waiting >= bound then return 'full' end
  waiting = waiting + 1
  return add(record, id, a, bounded)
end

local replies = {}
for i = 2, #KEYS do
  replies[i - 1] = create(KEYS[i], (i - 2) * PER_JOB)
end
for owner, entries in pairs(owners) do
  call('ZADD', partition .. ':owner:' .. owner, unpack(entries))
end
for queue, ids in pairs(lines) do line_up(queue, 'RPUSH', unpack(ids)) end
-- This is written by a repeated call too: a server lets WAIT wait for a connection's own
-- writes only.
call('HSET', partition, 'order', order)
write_counts()
return replies
