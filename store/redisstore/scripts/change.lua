-- What follows from the change of jobs: the counts of the partition, and hints.

-- counted notes that a job leaves one state for another. For one under a bound on the
-- waiting jobs of its owner, those are counted too.
local counts = { q = 0, s = 0 }
local WAITS = { q = 1, s = 1 }
local owners_waiting = {}

local function counted(from, to, job, names)
  if counts[from] then counts[from] = counts[from] - 1 end
  if counts[to] then counts[to] = counts[to] + 1 end
  if has(job, BOUND) then
    local owner = owner_of(names)
    owners_waiting[owner] = (owners_waiting[owner] or 0) + (WAITS[to] or 0) - (WAITS[from] or 0)
  end
end

-- hint sends a message. It may not be allowed to: a hint is never a reason to fail.
local function hint(channel, message) redis.pcall('PUBLISH', partition .. channel, message) end

local function wake(queue) hint(':arrived', queue) end

-- changed notes that a job is another one now.
local changes = {}

local function changed(id) changes[#changes + 1] = id end

-- tell_watchers tells those who watch a job that changed. Who watches says so in the index
-- of watches, which is mostly not there.
local function tell_watchers()
  local watched = partition .. ':watched'
  if #changes == 0 or call('EXISTS', watched) == 0 then return end
  for i, till in ipairs(many_of('ZMSCORE', watched, changes)) do
    if till and tonumber(till) >= now then hint(':watch:' .. changes[i], '') end
  end
end

-- conclude writes what was noted of all jobs of a step.
local function conclude()
  if counts.q ~= 0 then call('HINCRBY', partition, 'queued', counts.q) end
  if counts.s ~= 0 then call('HINCRBY', partition, 'scheduled', counts.s) end
  for owner, n in pairs(owners_waiting) do
    local waiting = partition .. ':waiting'
    if n ~= 0 and call('HINCRBY', waiting, owner, n) <= 0 then call('HDEL', waiting, owner) end
  end
  tell_watchers()
end
