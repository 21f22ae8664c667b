-- What every step knows. doc.go lists the keys.
--
-- KEYS[1] is the record of the partition. The names of all keys begin with it: it
-- has the hash tag, so that they are in the same slot.

local partition = KEYS[1]
local call = redis.call

local clock = call('TIME')
local now_us = clock[1] * 1000000 + clock[2]
local now = math.floor(now_us / 1000)

local ID_LENGTH = 27

local function record_of(id) return partition .. ':job:' .. id end

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
