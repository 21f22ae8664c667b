-- tidy removes the record of a partition that nothing needs any more.
local function tidy()
  if call('EXISTS', partition .. ':sessions', partition .. ':expiry', partition .. ':running') > 0 then return end
  for _, n in ipairs(call('HMGET', partition, 'queued', 'scheduled')) do
    if n and n ~= '0' then return end
  end
  call('DEL', partition)
end
