-- Reads a job and its recorded response at one moment.
--
-- KEYS: partition, record of the job
-- Returns false when there is no such job; else its view, and the response, '' for none.

--+ base
--+ more
--+ layout
--+ record

local id = id_of(KEYS[2])
local seen = view(id)
if not seen then return false end
local state = state_in(seen[1])
if state == COMPLETED then
  seen[5] = string.sub(call('GET', KEYS[2]), #seen[1] + 1)
elseif state == FAILED and seen[3] ~= '' then
  seen[5] = string.sub(call('GET', outcome_of(id)), #seen[3] + 1)
else
  seen[5] = ''
end
return seen
