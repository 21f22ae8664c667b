-- Lists jobs of one owner, newest first.
--
-- KEYS: partition
-- ARGV: owner, where to begin (a bound of ZRANGE), route or '', most jobs, most looked
--       at, then the states; none: any
-- Returns where to go on, or '' when all were looked at; then for each job its order,
-- its id and the values of FIELDS.

local index = partition .. ':owner:' .. ARGV[1]
local route, limit, visits = ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5])
local states = {}
for i = 6, #ARGV do states[ARGV[i]] = true end

local function matches(values)
  return (#ARGV < 6 or states[values[F.s]]) and (route == '' or values[F.rt] == route)
end

local entries = call('ZRANGE', index, ARGV[2], '-inf', 'BYSCORE', 'REV', 'LIMIT', 0, visits, 'WITHSCORES')
local replies = { '' }
for i = 1, #entries, 2 do
  local id, order = entries[i], entries[i + 1]
  local values = view(record_of(id))
  if not values[F.s] then
    call('ZREM', index, id) -- its retention is over
  elseif matches(values) then
    table.insert(values, 1, id)
    table.insert(values, 1, order)
    replies[#replies + 1] = values
  end
  if #replies - 1 == limit or i + 1 == visits * 2 then
    replies[1] = '(' .. order
    break
  end
end
return replies
