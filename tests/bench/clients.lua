-- Many clients, each known by its address, as a proxy tells it: twenty take turns until each has
-- sent forty requests, then come the next twenty.

local sent, first = 0, 0

function init(arguments)
  first = tonumber(arguments[1])
end

function request()
  local client = first + 20 * math.floor(sent / 800) + sent % 20
  sent = sent + 1
  wrk.headers["X-Forwarded-For"] = string.format(
    "198.18.%d.%d", math.floor(client / 256), client % 256)
  return wrk.format()
end
