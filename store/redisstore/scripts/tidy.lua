-- tidy removes the record of a partition that nothing needs any more.
local function tidy()
  if call('EXISTS', partition .. ':sessions', partition .. ':expiry') > 0 then return end
  for _, n in ipairs(call('HMGET', partition, 'queued', 'scheduled', 'in_progress')) do
    if n and n ~= '0' then return end
  end
  call('DEL', partition)
end
