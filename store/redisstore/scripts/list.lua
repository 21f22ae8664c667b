-- Lists jobs of one owner, newest first.
--
-- KEYS: partition
-- ARGV: owner, where to begin (a bound of ZRANGE), route or '', most jobs, most looked
--       at, then the states, a letter each; none: any
-- Returns where to go on, or '' when all were looked at; then for each job its order,
-- its id and its view.

--+ base
--+ more
--+ layout
--+ record

local index = partition .. ':owner:' .. ARGV[1]
local route, limit, visits = ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5])
local states = {}
for i = 6, #ARGV do states[ARGV[i]] = true end

local function matches(seen)
  local state = seen[2] ~= '' and RUNNING or state_in(seen[1])
  if #ARGV >= 6 and not states[state] then return false end
  return route == '' or route_of(names_of(read(seen[1]), seen[1])) == route
end

local entries = call('ZRANGE', index, ARGV[2], '-inf', 'BYSCORE', 'REV', 'LIMIT', 0, visits, 'WITHSCORES')
local replies = { '' }
for i = 1, #entries, 2 do
  local id, order = entries[i], entries[i + 1]
  local seen = view(id)
  if not seen then
    call('ZREM', index, id) -- its retention is over
  elseif matches(seen) then
    replies[#replies + 1] = { order, id, unpack(seen) }
  end
  if #replies - 1 == limit or i + 1 == visits * 2 then
    replies[1] = '(' .. order
    break
  end
end
return replies
