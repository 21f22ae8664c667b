-- Gives back one job, its attempt not counted.
--
-- KEYS: partition, lock, held, stop, session, record of the job
-- ARGV: token, session id, number of the claim, delay in milliseconds, number of the call
-- Returns 'lost' or 1.

--+ base
--+ more
--+ layout
--+ record
--+ change
--+ line
--+ finish
--+ holds
--+ held

if not owns(KEYS[2], ARGV[1]) then return 'lost' end
go_on_without_memory()

local id, claim, number = id_of(KEYS[6]), tonumber(ARGV[3]), tonumber(ARGV[5])

-- A repeated call finds what the first run of it did: at the job, unless others have had
-- it meanwhile, or at the session, unless it has released others.
local function released_before()
  if call('HGET', KEYS[5], 'released') == ARGV[5] then return 1 end
  local text = call('GETRANGE', KEYS[6], 0, HEAD_SIZE - 1)
  if text == '' then return 'lost' end
  local job = read(text)
  local ours = job[MARK_STATE] == RELEASED and job[MARK_NUMBER] == number and job[MARK_SESSION] == ARGV[2]
  return ours and 1 or 'lost'
end

local value = call('HGET', partition .. ':running', id)
if not value or session_of(value) ~= ARGV[2] then return released_before() end
if claim_of(value) ~= claim then return released_before() end
local one = { id = id, value = value }

if let_go(one, KEYS[3], KEYS[4]) then
  one.job[MARK_STATE], one.job[MARK_NUMBER], one.job[MARK_SESSION] = RELEASED, number, ARGV[2]
  release(one, tonumber(ARGV[4]))
end
call('HSET', KEYS[5], 'released', ARGV[5])
write_finished()
conclude()
return 1
