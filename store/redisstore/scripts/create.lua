-- Stores jobs that came together, each as if it were alone.
--
-- KEYS: partition, then the record of each job
-- ARGV: for each job: queue, owner, route, attempts, delay and retention in
--       milliseconds, payload, key, fingerprint, bound
-- Returns for each job: the time of its creation; 'full'; 'reused'; or the id and the
-- values of FIELDS of the job that was there, which is the job itself when this call
-- is a repeated one.

local PER_JOB = 10

local stats = call('HMGET', partition, 'order', 'queued', 'scheduled')
local order = tonumber(stats[1]) or 0
local waiting = (tonumber(stats[2]) or 0) + (tonumber(stats[3]) or 0)
local lines, queues = {}, {}

-- The order of creation rises within the partition and is comparable with that of
-- others: it is the time in microseconds.
local function next_order()
  order = math.max(order + 1, now_us)
  return order
end

-- holder returns the record of the job that has the key, and its id.
local function holder(key)
  if key == '' then return nil end
  local id = call('GET', partition .. ':key:' .. key)
  if id and call('EXISTS', record_of(id)) == 1 then return record_of(id), id end
end

local function found(record, id)
  local values = view(record)
  table.insert(values, 1, id)
  return values
end

local function add(record, id, queue, owner, route, attempts, delay, retention, payload, key, fingerprint)
  local state, ready = 'queued', now + delay
  if delay > 0 then state = 'scheduled' end
  local fields = {
    's', state, 'v', 1, 'n', 0, 'm', attempts, 'c', 0, 'q', queue, 'rt', route, 'cr', now, 'rd', ready, 'e', retention,
  }
  local function also(name, value)
    fields[#fields + 1] = name
    fields[#fields + 1] = value
  end
  if owner ~= '' then also('o', owner) end
  if delay > 0 then also('du', ready) end
  if key ~= '' then
    also('k', key)
    also('f', fingerprint)
    call('SET', partition .. ':key:' .. key, id)
  end
  call('HSET', record, unpack(fields))
  call('SET', request_of(id), payload)
  call('ZADD', partition .. ':owner:' .. owner, next_order(), id)
  counted(nil, state)
  if delay > 0 then
    schedule(id, queue, delay)
  else
    if not lines[queue] then
      lines[queue] = {}
      queues[#queues + 1] = queue
    end
    table.insert(lines[queue], id)
  end
  return now
end

local function create(record, a)
  local id = string.sub(record, -ID_LENGTH)
  local key, fingerprint, bound = ARGV[a + 8], ARGV[a + 9], tonumber(ARGV[a + 10])
  if call('EXISTS', record) == 1 then return found(record, id) end
  local held, held_by = holder(key)
  if held then
    if call('HGET', held, 'f') ~= fingerprint then return 'reused' end
    return found(held, held_by)
  end
  if bound > 0 and waiting >= bound then return 'full' end
  waiting = waiting + 1
  return add(record, id, ARGV[a + 1], ARGV[a + 2], ARGV[a + 3], ARGV[a + 4], tonumber(ARGV[a + 5]),
    ARGV[a + 6], ARGV[a + 7], key, fingerprint)
end

local before = order
local replies = {}
for i = 2, #KEYS do
  replies[i - 1] = create(KEYS[i], (i - 2) * PER_JOB)
end
if order ~= before then call('HSET', partition, 'order', order) end
for _, queue in ipairs(queues) do
  line_up(queue, 'RPUSH', unpack(lines[queue]))
end
write_counts()
return replies
