-- Many clients, each known by its address, as a proxy tells it. A hundred take turns; each leaves
-- after ten requests, so that every tenth request comes from a new one.

local sent, first = 0, 0

function init(arguments)
  first = tonumber(arguments[1])
end

function request()
  local place, turn = sent % 100, math.floor(sent / 100)
  local client = first + place + 100 * math.floor((turn + place % 10) / 10)
  sent = sent + 1
  wrk.headers["X-Forwarded-For"] = string.format(
    "198.%d.%d.%d", 18 + math.floor(client / 65536), math.floor(client / 256) % 256, client % 256)
  return wrk.format()
end
