-- Takes jobs from sessions whose lease ran out, from the last claim to the first, and
-- ends the sessions of which nothing is left. A session is over as soon as this begins.
--
-- KEYS: partition
-- ARGV: number of the call, most jobs, problem of a job without attempts left
-- Returns how many jobs were taken.

local MOST_SESSIONS = 100

go_on_without_memory()

local sessions = partition .. ':sessions'
local most, taken = tonumber(ARGV[2]), 0

-- A repeated call finds what the first run of it did.
local number, before = string.match(call('HGET', partition, 'reclaim') or '', '^(%S+) (%d+)$')
if number == ARGV[1] then return tonumber(before) end

-- is_over marks a session as over, unless its lock is there: then only the note of the
-- deadline is late.
local function is_over(session)
  local left = call('PTTL', partition .. ':lock:' .. session)
  if left ~= -2 then
    call('ZADD', sessions, now + math.max(left, 1), session)
    return false
  end
  call('ZADD', sessions, 0, session)
  return true
end

local function take(ref)
  local id = string.sub(ref, 1, ID_LENGTH)
  local job = call('HMGET', record_of(id), unpack(HELD))
  if not job[1] then return end
  if job[6] then
    end_held(id, job, 'canceled')
  elseif tonumber(job[3]) < tonumber(job[4]) then
    queue_held(id, job, job[3])
  else
    end_held(id, job, 'failed', 'd', ARGV[3])
  end
end

local function take_from(session)
  local held = partition .. ':held:' .. session
  for _, ref in ipairs(call('ZRANGE', held, 0, most - taken - 1, 'REV')) do
    take(ref)
    call('ZREM', held, ref)
    taken = taken + 1
  end
  if call('EXISTS', held) == 0 then
    call('ZREM', sessions, session)
    call('DEL', partition .. ':stop:' .. session, partition .. ':session:' .. session)
  end
end

for _, session in ipairs(call('ZRANGE', sessions, '-inf', now, 'BYSCORE', 'LIMIT', 0, MOST_SESSIONS)) do
  if is_over(session) and taken < most then take_from(session) end
end
write_finished()
write_counts()
if taken > 0 then call('HSET', partition, 'reclaim', ARGV[1] .. ' ' .. taken) end
return taken
