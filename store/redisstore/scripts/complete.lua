-- Ends attempts that completed, each as if it were alone, if nothing has happened to their
-- jobs since they were claimed: then their records come with the call. It leaves all
-- others to settle.
--
-- KEYS: partition, lock, held, then the record of each job
-- ARGV: token, then for each job: value of the running job as it was claimed, the record
-- Returns 'lost'; or a letter for each job: 'c' for completed, '-' for one that settle has
-- to look at.

--+ base
--+ layout

if call('GET', KEYS[2]) ~= ARGV[1] then return 'lost' end

local ids = {}
for i = 4, #KEYS do ids[i - 3] = string.sub(KEYS[i], -ID_LENGTH) end
local values = call('HMGET', partition .. ':running', unpack(ids))

local over, places, answers, seen = {}, {}, {}, {}
for i, id in ipairs(ids) do
  if values[i] == ARGV[2 * i] and not seen[id] then -- a job may be there twice
    seen[id] = true
    over[#over + 1], places[#places + 1] = id, i
    answers[i] = COMPLETED
  else
    answers[i] = '-'
  end
end
if #over == 0 then return table.concat(answers) end

-- First what frees memory: a step that has begun is not refused any more.
call('HDEL', partition .. ':running', unpack(over))
call('SREM', KEYS[3], unpack(over))

local expiring, times = {}, {}
for _, i in ipairs(places) do
  local record, owner = ARGV[2 * i + 1], ''
  local retention = string.sub(record, RETENTION_AT, RETENTION_AT + 5)
  local expires = times[retention]
  if not expires then
    expires = string.format('%d', now + struct.unpack('<I6', retention))
    times[retention] = expires
  end
  call('SET', KEYS[i + 3], record, 'PXAT', expires)
  if string.byte(record, FLAGS_AT) % (2 * OWNED) >= OWNED then
    local _, named = struct.unpack('<I2c0I2c0', record, HEAD_SIZE + 1)
    owner = named
  end
  local n = #expiring
  expiring[n + 1], expiring[n + 2] = expires, ids[i] .. owner
end
call('ZADD', partition .. ':expiry', unpack(expiring))
if call('EXISTS', partition .. ':watched') == 1 then
  --+ more
  --+ record
  --+ change
  for _, id in ipairs(over) do changed(id) end
  conclude()
end
return table.concat(answers)
