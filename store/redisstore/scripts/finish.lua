-- How a job ends.

-- expiring are the entries of the index of jobs that are over, by when they expire.
local expiring = {}
local time_texts = {} -- of times: to write a number costs more than to look it up

local function time_text(time)
  local text = time_texts[time]
  if not text then
    text = string.format('%d', time)
    time_texts[time] = text
  end
  return text
end

local function note_expiry(expires, entry)
  expiring[#expiring + 1] = expires
  expiring[#expiring + 1] = entry
end

-- finish makes a job that is over expire, with all that belongs to it. Only a failed job
-- can be run again: the others need their request no more. What is left of it is the
-- progress, and the rest of an outcome with the size of the summary in it.
local function finish(id, job, names, progress, size, rest)
  local expires = time_text(now + job[RETENTION])
  local record = record_of(id)
  if job[STATE] == FAILED then
    set(job, APART)
    call('SETRANGE', record, 0, head(job))
    call('PEXPIREAT', record, expires)
    call('SET', outcome_of(id), outcome_head(progress, size) .. rest, 'PXAT', expires)
  else
    if has(job, APART) then call('DEL', outcome_of(id)) end
    unset(job, APART)
    call('SET', record, head(job) .. names .. outcome_head(progress, size) .. rest, 'PXAT', expires)
  end
  note_expiry(expires, has(job, OWNED) and id .. owner_of(names) or id)
  if has(job, KEYED) then call('PEXPIREAT', partition .. ':key:' .. key_of(names), expires) end
end

local function write_finished() in_parts('ZADD', partition .. ':expiry', expiring) end

-- left_of returns what is left of a job that ends, or is given back, without a new
-- outcome: the progress; nil: the one that is there; and the problem of an earlier attempt.
local function left_of(id, job, progress)
  if not has(job, APART) then return progress or '', 8, NOTHING .. NOTHING end
  local summary = summary_of(id)
  if summary == '' then return progress or '', 8, NOTHING .. NOTHING end -- removed by other hands
  local length, at = struct.unpack('<I4', summary, 5)
  local rest = string.sub(summary, at + length)
  return progress or string.sub(summary, at, at + length - 1), #rest, rest
end
