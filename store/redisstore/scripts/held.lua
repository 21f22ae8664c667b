-- How a job leaves the session that held it without being settled. It stands between
-- base.lua and the steps that need it.

-- HELD are the fields of a job that these functions take.
local HELD = { 's', 'v', 'n', 'm', 'q', 'ca', 'e', 'o', 'k', 'c', 'w' }

local function end_held(id, job, state, ...)
  local record = record_of(id)
  call('HSET', record, 's', state, 'v', job[2] + 1, 'fi', now, ...)
  finish(id, state, job[7], job[8], job[9])
  counted('in_progress', state) -- neither waits
  changed(id, job[2] + 1)
end

local function queue_held(id, job, attempt)
  call('HSET', record_of(id), 's', 'queued', 'v', job[2] + 1, 'n', attempt)
  line_up(job[5], 'LPUSH', id)
  counted('in_progress', 'queued', job[11] and job[8])
  changed(id, job[2] + 1)
end

-- release gives up a claim as if it had not been made.
local function release(id, job, delay)
  if job[6] then
    end_held(id, job, 'canceled')
  elseif delay > 0 then
    call('HSET', record_of(id), 's', 'scheduled', 'v', job[2] + 1, 'n', job[3] - 1, 'du', now + delay)
    schedule(id, job[5], delay)
    counted('in_progress', 'scheduled', job[11] and job[8])
    changed(id, job[2] + 1)
  else
    queue_held(id, job, job[3] - 1)
  end
end
