-- Ends attempts that came together, each as if it were alone.
--
-- KEYS: partition, lock, held, then the record of each job
-- ARGV: token, session id, then for each job: number of the claim, state, delay in
--       milliseconds, problem or '', response or '', data
-- Returns 'lost'; or for each job the state it has then, or 'lost'.

local PER_JOB = 6

if not owns(KEYS[2], ARGV[1]) then return 'lost' end

local SETTLED = { 'v', 'q', 'ca', 'e', 'o', 'k', 'd' }

-- mark lets a repeated call know what the first run of it did.
local function mark(claim, state) return claim .. ' ' .. state .. ' ' .. ARGV[2] end

local function settled_before(record, claim)
  local state = string.match(call('HGET', record, 'z') or '', '^' .. claim .. ' (%S+) ' .. ARGV[2] .. '$')
  return state or 'lost'
end

-- settle_over ends a job; data is what it leaves behind.
local function settle_over(id, record, job, claim, state, problem, response, data)
  local fields = { 's', state, 'v', job[1] + 1, 'fi', now, 'z', mark(claim, state) }
  if state == 'canceled' then
    problem, response = '', ''
  elseif problem == '' and job[7] then
    call('HDEL', record, 'd') -- an earlier attempt's
  end
  if problem ~= '' then
    fields[#fields + 1] = 'd'
    fields[#fields + 1] = problem
  end
  if response ~= '' then
    fields[#fields + 1] = 'r'
    fields[#fields + 1] = response
  end
  call('HSET', record, unpack(fields))
  local expires = finish(id, state, job[4], job[5], job[6])
  if response ~= '' then call('SET', result_of(id), data, 'PXAT', expires) end
end

local function settle(record, a)
  local id = string.sub(record, -ID_LENGTH)
  local claim, state, problem, response = ARGV[a + 1], ARGV[a + 2], ARGV[a + 4], ARGV[a + 5]
  if call('ZREM', KEYS[3], id .. ':' .. claim) == 0 then return settled_before(record, claim) end

  local job = call('HMGET', record, unpack(SETTLED))
  if job[3] then
    state = 'canceled'
    call('SREM', partition .. ':stop:' .. ARGV[2], id .. ':' .. claim)
  end
  if state == 'scheduled' then
    local delay = tonumber(ARGV[a + 3])
    local due = now + delay
    call('HSET', record, 's', state, 'v', job[1] + 1, 'du', due, 'rd', due, 'd', problem, 'z', mark(claim, state))
    schedule(id, job[2], delay)
  else
    settle_over(id, record, job, claim, state, problem, response, ARGV[a + 6])
  end
  counted('in_progress', state)
  changed(id, job[1] + 1)
  return state
end

local replies = {}
for i = 4, #KEYS do
  replies[i - 3] = settle(KEYS[i], 2 + (i - 4) * PER_JOB)
end
write_counts()
return replies
