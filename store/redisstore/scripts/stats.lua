-- Counts.
--
-- KEYS: partition
-- Returns the number of jobs queued, scheduled, in progress and finished, and that of
-- the sessions whose lease runs.

--+ base

local stats = call('HMGET', partition, 'queued', 'scheduled')
return {
  tonumber(stats[1]) or 0, tonumber(stats[2]) or 0, call('HLEN', partition .. ':running'),
  call('ZCOUNT', partition .. ':expiry', '(' .. now, '+inf'),
  call('ZCOUNT', partition .. ':sessions', '(' .. now, '+inf'),
}
