-- Ends attempts that came together, each as if it were alone.
--
-- KEYS: partition, lock, held, then the record of each job
-- ARGV: token, session id, then for each job: number of the claim, state, delay in
--       milliseconds, problem or '', response or '', data
-- Returns 'lost'; or for each job the state it has then, or 'lost'.

local PER_JOB = 6

if not owns(KEYS[2], ARGV[1]) then return 'lost' end

go_on_without_memory()

-- mark lets a repeated call know what the first run of it did.
local function mark(claim, state) return claim .. ' ' .. state .. ' ' .. ARGV[2] end

local function settled_before(record, claim)
  local state = string.match(call('HGET', record, 'z') or '', '^' .. claim .. ' (%S+) ' .. ARGV[2] .. '$')
  return state or 'lost'
end

-- settle_over ends a job; data is what it leaves behind.
local function settle_over(id, record, job, claim, state, problem, response, data)
  local more = {}
  if state == 'canceled' then
    problem, response = '', ''
  elseif problem == '' and job[6] then
    call('HDEL', record, 'd') -- an earlier attempt's
  end
  if problem ~= '' then more = { 'd', problem } end
  if response ~= '' then
    more[#more + 1] = 'r'
    more[#more + 1] = response
  end
  call('HSET', record, 's', state, 'v', job[1] + 1, 'fi', now, 'z', mark(claim, state), unpack(more))
  local expires = finish(id, state, job[3], job[4], job[5])
  if response ~= '' then call('SET', result_of(id), data, 'PXAT', expires) end
end

local refs = {} -- of the jobs that leave the session

local function settle(record, a)
  local id = string.sub(record, -ID_LENGTH)
  local claim, state, problem = ARGV[a + 1], ARGV[a + 2], ARGV[a + 4]
  local job = call('HMGET', record, 'v', 'ca', 'e', 'o', 'k', 'd', 's', 'h', 'c', 'w')
  if job[7] ~= 'in_progress' or job[8] ~= ARGV[2] or job[9] ~= claim then return settled_before(record, claim) end

  local ref = id .. ':' .. claim
  refs[#refs + 1] = ref
  if job[2] then
    state = 'canceled'
    call('SREM', partition .. ':stop:' .. ARGV[2], ref)
  end
  if state == 'scheduled' then
    local delay = tonumber(ARGV[a + 3])
    local due = now + delay
    call('HSET', record, 's', state, 'v', job[1] + 1, 'du', due, 'rd', due, 'd', problem, 'z', mark(claim, state))
    schedule(id, call('HGET', record, 'q'), delay)
  else
    settle_over(id, record, job, claim, state, problem, ARGV[a + 5], ARGV[a + 6])
  end
  counted('in_progress', state, job[10] and job[4])
  changed(id, job[1] + 1)
  return state
end

local replies = {}
for i = 4, #KEYS do
  replies[i - 3] = settle(KEYS[i], 2 + (i - 4) * PER_JOB)
end
if #refs > 0 then call('ZREM', KEYS[3], unpack(refs)) end
write_finished()
write_counts()
return replies
