-- What more than one step does. It stands in front of each of the other files, so
-- all steps know these names. doc.go lists the keys and the fields of a job.
--
-- KEYS[1] is the record of the partition. The names of all keys begin with it: it
-- has the hash tag, so that they are in the same slot.

local partition = KEYS[1]
local call = redis.call

local clock = call('TIME')
local now_us = clock[1] * 1000000 + clock[2]
local now = math.floor(now_us / 1000)

local ID_LENGTH = 27

-- FIELDS are the fields of a job that callers get to see, in the order in which
-- they get them. S is the index of each.
local FIELDS = {
  's', 'v', 'n', 'm', 'c', 'q', 'o', 'rt', 'cr', 'rd', 'du', 'st', 'fi', 'ca', 'e', 'r', 'p', 'd',
}
local F = {}
for i, name in ipairs(FIELDS) do F[name] = i end

-- go_on_without_memory makes a step work when the memory of Redis is full, too: Redis
-- refuses the first write of a step only, and no write that frees memory. All steps but
-- those that take in more do this: the jobs that are there have to get on.
local function go_on_without_memory() call('DEL', partition .. ':nothing') end

local function record_of(id) return partition .. ':job:' .. id end
local function request_of(id) return partition .. ':request:' .. id end
local function result_of(id) return partition .. ':result:' .. id end

-- owns tells whether a lock is there and has that token. The lock is redislock's, its
-- value the token of a session.
local function owns(lock, token) return call('GET', lock) == token end

-- view returns the values of FIELDS.
local function view(record) return call('HMGET', record, unpack(FIELDS)) end

-- counted notes that a job leaves one state for another; write_counts makes it so. With
-- the owner come those jobs alone that were created under a bound on the owner's waiting
-- jobs: its field w is there.
local counts = { queued = 0, scheduled = 0, in_progress = 0 }
local WAITS = { queued = 1, scheduled = 1 }
local owners_waiting = {}

local function counted(from, to, owner)
  if counts[from] then counts[from] = counts[from] - 1 end
  if counts[to] then counts[to] = counts[to] + 1 end
  if owner then
    owners_waiting[owner] = (owners_waiting[owner] or 0) + (WAITS[to] or 0) - (WAITS[from] or 0)
  end
end

local function write_counts()
  for state, n in pairs(counts) do
    if n ~= 0 then call('HINCRBY', partition, state, n) end
  end
  for owner, n in pairs(owners_waiting) do
    local waiting = partition .. ':waiting'
    if n ~= 0 and call('HINCRBY', waiting, owner, n) <= 0 then call('HDEL', waiting, owner) end
  end
end

-- hint sends a message. It may not be allowed to: a hint is never a reason to fail.
local function hint(channel, message) redis.pcall('PUBLISH', partition .. channel, message) end

-- changed tells those who watch the job.
local function changed(id, version) hint(':watch:' .. id, version) end

local function wake(queue) hint(':arrived', queue) end

-- in_parts makes a call with many arguments, an even number of them at a time: Lua has
-- only so much room for them.
local MOST_ARGUMENTS = 2000

local function in_parts(command, key, arguments)
  for i = 1, #arguments, MOST_ARGUMENTS do
    call(command, key, unpack(arguments, i, math.min(i + MOST_ARGUMENTS - 1, #arguments)))
  end
end

-- line_up puts jobs into the line of a queue. Whoever found the line filled already
-- was woken when that began.
local function line_up(queue, push, ...)
  if call(push, partition .. ':line:' .. queue, ...) == select('#', ...) then wake(queue) end
end

-- schedule lets a job wait for some milliseconds. Jobs of one step that wait as long
-- keep their order.
local scheduled = 0

local function schedule(id, queue, delay)
  local waiting = partition .. ':due:' .. queue
  call('ZADD', waiting, now_us + delay * 1000 + scheduled, id)
  scheduled = scheduled + 1
  if call('ZRANGE', waiting, 0, 0)[1] == id then wake(queue) end
end

-- finish makes a job that is over expire, with all that belongs to it. Only a failed
-- job can be run again; the others need their request no more. write_finished completes
-- it for all jobs of a step.
local unneeded, expiry = {}, {}

local function finish(id, state, retention, owner, key)
  local expires = now + retention
  if state == 'failed' then
    call('PEXPIREAT', request_of(id), expires)
  else
    unneeded[#unneeded + 1] = request_of(id)
  end
  if key then call('PEXPIREAT', partition .. ':key:' .. key, expires) end
  call('PEXPIREAT', record_of(id), expires)
  expiry[#expiry + 1] = expires
  expiry[#expiry + 1] = id .. (owner or '')
  return expires
end

local function write_finished()
  in_parts('DEL', partition .. ':nothing', unneeded)
  in_parts('ZADD', partition .. ':expiry', expiry)
end

-- tidy removes the record of a partition that nothing needs any more.
local function tidy()
  if call('EXISTS', partition .. ':sessions', partition .. ':expiry') > 0 then return end
  for _, n in ipairs(call('HMGET', partition, 'queued', 'scheduled', 'in_progress')) do
    if n and n ~= '0' then return end
  end
  call('DEL', partition)
end
