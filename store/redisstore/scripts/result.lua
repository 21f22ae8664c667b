-- Reads a job and its recorded response at one moment.
--
-- KEYS: partition, record of the job
-- Returns the values of FIELDS followed by the response, or false for none.

local values = view(KEYS[2])
local response = false
if values[F.r] then response = call('GET', result_of(string.sub(KEYS[2], -ID_LENGTH))) end
values[#FIELDS + 1] = response
return values
