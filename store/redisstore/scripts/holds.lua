-- What a session holds.

-- held_jobs returns the jobs of a session from a turn on, the first claim first: id, value
-- and turn of each. What has no value is not held: it is taken out.
local function held_jobs(session, held, from)
  local ids = call('SMEMBERS', held)
  local jobs, stale = {}, {}
  for i, value in ipairs(many_of('HMGET', partition .. ':running', ids)) do
    if not value or session_of(value) ~= session then
      stale[#stale + 1] = ids[i]
    elseif turn_of(value) >= from then
      jobs[#jobs + 1] = { id = ids[i], value = value, turn = turn_of(value) }
    end
  end
  in_parts('SREM', held, stale)
  table.sort(jobs, function(a, b) return a.turn < b.turn end)
  return jobs
end
