-- Notes for a while that somebody watches jobs.
--
-- KEYS: partition
-- ARGV: for how many milliseconds, then the ids of the jobs
-- Returns how many of them were not noted before, or not any more.

--+ base

local watched = partition .. ':watched'
local till = string.format('%d', now + ARGV[1])
local entries = {}
for i = 2, #ARGV do
  entries[#entries + 1] = till
  entries[#entries + 1] = ARGV[i]
end
call('ZREMRANGEBYSCORE', watched, '-inf', '(' .. now)
local before = call('ZCARD', watched)
in_parts('ZADD', watched, entries)
call('PEXPIRE', watched, ARGV[1])
return call('ZCARD', watched) - before
