-- Removes from the indexes what has outlived its retention; the jobs themselves expire
-- by themselves.
--
-- KEYS: partition
-- ARGV: most jobs
-- Returns how many were removed.

--+ base
--+ more
--+ layout
--+ record
--+ change
--+ tidy

local expiry = partition .. ':expiry'
local entries = call('ZRANGE', expiry, '-inf', now, 'BYSCORE', 'LIMIT', 0, ARGV[1])
for _, entry in ipairs(entries) do
  local id, owner = string.sub(entry, 1, ID_LENGTH), string.sub(entry, ID_LENGTH + 1)
  call('ZREM', partition .. ':owner:' .. owner, id)
  changed(id)
end
if #entries > 0 then call('ZREM', expiry, unpack(entries)) end
conclude()
tidy()
return #entries
