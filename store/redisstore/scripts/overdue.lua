-- Tells whether recovery may have something to do.
--
-- KEYS: partition
-- Returns 1 when a lease seems to have run out or a job to have outlived its retention.

--+ base

for _, index in ipairs({ ':sessions', ':expiry' }) do
  if call('ZCOUNT', partition .. index, '-inf', now) > 0 then return 1 end
end
return 0
