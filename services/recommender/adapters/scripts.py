"""Lua that runs inside Redis. Each script touches the keys of one tenant's counts only.

They are sent whole with each call (a kilobyte, which Redis knows by its hash) rather than by name: a restarted Redis
knows no names, and asking it first would be a second round trip.
"""

ADD = """
-- KEYS: counted, clock, then the boards, days and products of the argument, and the customers' documents.
-- ARGV: the additions as MessagePack, then the documents. Returns 0 when somebody else has counted meanwhile.
local asked = cmsgpack.unpack(ARGV[1])
if tonumber(redis.call('GET', KEYS[1]) or '-1') ~= asked.after then return 0 end

local function add_marks(one, other)
  if one < other then one, other = other, one end
  return one + math.log(1 + 2 ^ (other - one)) / math.log(2)
end

local function raise_board(key, marks)
  for _, entry in ipairs(marks) do
    local before = redis.call('ZSCORE', key, entry[1])
    local mark = before and add_marks(tonumber(before), entry[2]) or entry[2]
    redis.call('ZADD', key, string.format('%.17g', mark), entry[1])
  end
  redis.call('ZREMRANGEBYRANK', key, 0, -asked.board_kept - 1)
end

local function remember(shoppers, more)
  for _, shopper in ipairs(more) do
    local known = #shoppers >= asked.shoppers_kept
    for _, before in ipairs(shoppers) do known = known or before == shopper end
    if not known then shoppers[#shoppers + 1] = shopper end
  end
end

local function tie(key, more)
  local raw = redis.call('GET', key)
  local ties, place = raw and cmsgpack.unpack(raw) or {}, {}
  for at, known in ipairs(ties) do place[known[1]] = at end
  for _, new in ipairs(more) do
    local known = ties[place[new[1]]]
    if known then
      known[2] = add_marks(known[2], new[2])
      remember(known[3], new[3])
      remember(known[4], new[4])
    else
      ties[#ties + 1] = new
    end
  end
  table.sort(ties, function(a, b) return a[2] > b[2] or (a[2] == b[2] and a[1] < b[1]) end)
  for at = #ties, asked.ties_kept + 1, -1 do ties[at] = nil end
  redis.call('SET', key, cmsgpack.pack(ties), 'EX', asked.ties_expire_s)
end

local next_key = 3
local function key() next_key = next_key + 1 return KEYS[next_key - 1] end

if asked.latest_ms > tonumber(redis.call('GET', KEYS[2]) or '0') then redis.call('SET', KEYS[2], asked.latest_ms) end
for _, marks in ipairs(asked.boards) do raise_board(key(), marks) end
for _, products in ipairs(asked.days) do
  local day = key()
  for _, entry in ipairs(products) do redis.call('ZINCRBY', day, entry[2], entry[1]) end
  redis.call('EXPIRE', day, asked.days_expire_s)
end
for _, more in ipairs(asked.ties) do tie(key(), more) end
for at = 2, #ARGV do redis.call('SET', key(), ARGV[at], 'EX', asked.trails_expire_s) end
redis.call('SET', KEYS[1], asked.upto)
return 1
"""

RECALL = """
-- KEYS: for each customer the trail, the reactions, and the set of ids that were merged into theirs.
-- ARGV: what keys of ties, trails and reactions begin with, how many products to follow, then for each customer the
-- number of products known to be looked at, and these, newest first.
-- Returns: by customer the numbers of the products followed, newest first; by customer the reactions under each of
-- their ids; the products; the ties of each.
local ties_of, trail_of, reactions_of, most = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])
local followed, reactions, products, ties, number_of = {}, {}, {}, {}, {}
local at = 5

local function number(product)
  if not number_of[product] then
    products[#products + 1] = product
    ties[#products] = redis.call('GET', ties_of .. product) or ''
    number_of[product] = #products
  end
  return number_of[product]
end

for customer = 1, #KEYS / 3 do
  local seeds, taken = {}, {}
  local function follow(product)
    if #seeds < most and not taken[product] then
      seeds[#seeds + 1] = number(product)
      taken[product] = true
    end
  end
  local function follow_trail(key)
    local trail = redis.call('GET', key)
    local looks = trail and cmsgpack.unpack(trail)[1] or {}
    for look = #looks, 1, -1 do follow(looks[look][1]) end
  end
  local known = tonumber(ARGV[at])
  for offset = 1, known do follow(ARGV[at + offset]) end
  at = at + known + 1
  local documents = {redis.call('GET', KEYS[3 * customer - 1]) or ''}
  local merged = redis.call('SMEMBERS', KEYS[3 * customer])
  table.sort(merged)
  if #seeds < most then
    follow_trail(KEYS[3 * customer - 2])
    for _, id in ipairs(merged) do follow_trail(trail_of .. id) end
  end
  for _, id in ipairs(merged) do documents[#documents + 1] = redis.call('GET', reactions_of .. id) or '' end
  followed[customer], reactions[customer] = seeds, documents
end
return {followed, reactions, products, ties}
"""
