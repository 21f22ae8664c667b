-- What the steps know that do not come with every job.

local function outcome_of(id) return partition .. ':outcome:' .. id end
local function id_of(key) return string.sub(key, -ID_LENGTH) end

-- owns tells whether a lock is there and has that token. The lock is redislock's, its
-- value the token of a session.
local function owns(lock, token) return call('GET', lock) == token end

-- go_on_without_memory makes a step work when the memory of Redis is full, too: Redis
-- refuses the first write of a step only, and no write that frees memory. All steps but
-- those that take in more do this: the jobs that are there have to get on.
local function go_on_without_memory() call('DEL', partition .. ':nothing') end

-- many_of makes a call that answers each of its arguments, and returns all answers.
local function many_of(command, key, arguments)
  local answers = {}
  for i = 1, #arguments, MOST_ARGUMENTS do
    local last = math.min(i + MOST_ARGUMENTS - 1, #arguments)
    for _, answer in ipairs(call(command, key, unpack(arguments, i, last))) do answers[#answers + 1] = answer end
  end
  return answers
end
