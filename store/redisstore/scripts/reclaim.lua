-- Takes jobs from sessions whose lease ran out, from the last claim to the first, and
-- ends the sessions of which nothing is left. A session is over as soon as this begins.
--
-- KEYS: partition
-- ARGV: number of the call, most jobs, summary of a job without attempts left, without
--       the progress
-- Returns how many jobs were taken.

--+ base
--+ more
--+ layout
--+ record
--+ change
--+ line
--+ finish
--+ holds
--+ held

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

local function take(one)
  if one.job[CANCEL_ASKED] > 0 then
    cancel_held(one)
  elseif one.job[ATTEMPT] < one.job[MAX_ATTEMPTS] then
    queue_held(one)
  else
    end_held(one, FAILED, one.progress, #ARGV[3], ARGV[3])
  end
end

local function take_from(session)
  local held, stop = partition .. ':held:' .. session, partition .. ':stop:' .. session
  local jobs = held_jobs(session, held, 0)
  for i = #jobs, 1, -1 do
    if taken == most then return end
    if let_go(jobs[i], held, stop) then take(jobs[i]) end
    taken = taken + 1
  end
  call('ZREM', sessions, session)
  call('DEL', held, stop, partition .. ':session:' .. session)
end

for _, session in ipairs(call('ZRANGE', sessions, '-inf', now, 'BYSCORE', 'LIMIT', 0, MOST_SESSIONS)) do
  if is_over(session) and taken < most then take_from(session) end
end
write_finished()
conclude()
if taken > 0 then call('HSET', partition, 'reclaim', ARGV[1] .. ' ' .. taken) end
return taken
