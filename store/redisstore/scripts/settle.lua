-- Ends attempts that came together, each as if it were alone.
--
-- KEYS: partition, lock, held, then the record of each job
-- ARGV: token, session id, then for each job: ref, number of the claim, state, delay in
--       milliseconds, problem or '', response or '', data
-- Returns 'lost'; or for each job the state it has then, or 'lost'.

local PER_JOB = 7

if not owns(KEYS[2], ARGV[1]) then return 'lost' end

local refs = {}
for i = 4, #KEYS do refs[i - 3] = ARGV[3 + (i - 4) * PER_JOB] end
local holds = {} -- the refs that the session holds
for i, score in ipairs(call('ZMSCORE', KEYS[3], unpack(refs))) do
  if score then holds[refs[i]] = true end
end

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

local function settle(record, a)
  local id = string.sub(record, -ID_LENGTH)
  local ref, claim, state, problem = ARGV[a + 1], ARGV[a + 2], ARGV[a + 3], ARGV[a + 5]
  if not holds[ref] then return settled_before(record, claim) end
  holds[ref] = nil -- it may stand in the call twice

  local job = call('HMGET', record, 'v', 'ca', 'e', 'o', 'k', 'd')
  if job[2] then
    state = 'canceled'
    call('SREM', partition .. ':stop:' .. ARGV[2], ref)
  end
  if state == 'scheduled' then
    local delay = tonumber(ARGV[a + 4])
    local due = now + delay
    call('HSET', record, 's', state, 'v', job[1] + 1, 'du', due, 'rd', due, 'd', problem, 'z', mark(claim, state))
    schedule(id, call('HGET', record, 'q'), delay)
  else
    settle_over(id, record, job, claim, state, problem, ARGV[a + 6], ARGV[a + 7])
  end
  counted('in_progress', state)
  changed(id, job[1] + 1)
  return state
end

local replies = {}
for i = 4, #KEYS do
  replies[i - 3] = settle(KEYS[i], 2 + (i - 4) * PER_JOB)
end
call('ZREM', KEYS[3], unpack(refs))
write_finished()
write_counts()
return replies
