-- What every step knows. It stands in front of the other parts of a step; scripts.go says
-- which they are, doc.go lists the keys.
--
-- KEYS[1] is the record of the partition. The names of all keys begin with it: it
-- has the hash tag, so that they are in the same slot.

local partition = KEYS[1]
local call = redis.call

local clock = call('TIME')
local now_us = clock[1] * 1000000 + clock[2]
local now = math.floor(now_us / 1000)

local ID_LENGTH = 27

-- go_on_without_memory makes a step work when the memory of Redis is full, too: Redis
-- refuses the first write of a step only, and no write that frees memory. All steps but
-- those that take in more do this: the jobs that are there have to get on.
local function go_on_without_memory() call('DEL', partition .. ':nothing') end

local function record_of(id) return partition .. ':job:' .. id end
local function outcome_of(id) return partition .. ':outcome:' .. id end
local function id_of(key) return string.sub(key, -ID_LENGTH) end

-- owns tells whether a lock is there and has that token. The lock is redislock's, its
-- value the token of a session.
local function owns(lock, token) return call('GET', lock) == token end

-- in_parts makes a call with many arguments, an even number of them at a time: Lua has
-- only so much room for them.
local MOST_ARGUMENTS = 2000

local function in_parts(command, key, arguments)
  if #arguments <= MOST_ARGUMENTS then
    if #arguments > 0 then call(command, key, unpack(arguments)) end
    return
  end
  for i = 1, #arguments, MOST_ARGUMENTS do
    call(command, key, unpack(arguments, i, math.min(i + MOST_ARGUMENTS - 1, #arguments)))
  end
end

-- many_of makes a call that answers each of its arguments, and returns all answers.
local function many_of(command, key, arguments)
  if #arguments == 0 then return {} end
  if #arguments <= MOST_ARGUMENTS then return call(command, key, unpack(arguments)) end
  local answers = {}
  for i = 1, #arguments, MOST_ARGUMENTS do
    local last = math.min(i + MOST_ARGUMENTS - 1, #arguments)
    for _, answer in ipairs(call(command, key, unpack(arguments, i, last))) do answers[#answers + 1] = answer end
  end
  return answers
end
