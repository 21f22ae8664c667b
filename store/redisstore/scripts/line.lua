-- How jobs wait. In the line of a queue, and among the jobs that wait for their time, a
-- job stands as its id; a large one with its size behind it, so that a claim knows how
-- much it will read.

local function entry_of(id, size)
  if size > LARGE then return id .. ':' .. size end
  return id
end

local function stored_entry(id) return entry_of(id, call('STRLEN', record_of(id))) end

-- line_up puts entries into the line of a queue. Whoever found the line filled already
-- was woken when that began.
local function line_up(queue, push, entries)
  local line = partition .. ':line:' .. queue
  if call(push, line, unpack(entries)) == #entries then wake(queue) end
end

-- schedule lets a job wait for some milliseconds. Jobs of one step that wait as long
-- keep their order.
local scheduled = 0

local function schedule(entry, queue, delay)
  local waiting = partition .. ':due:' .. queue
  call('ZADD', waiting, string.format('%d', now_us + delay * 1000 + scheduled), entry)
  scheduled = scheduled + 1
  if call('ZRANGE', waiting, 0, 0)[1] == entry then wake(queue) end
end
