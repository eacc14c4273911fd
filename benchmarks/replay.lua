-- Replays prepared requests in turn. The file is a sequence of (length as 4 bytes, big endian; the whole HTTP request).
local requests, count, at = {}, 0, 0

function init(args)
  local file = assert(io.open(args[1], "rb"))
  local data = file:read("*a")
  file:close()
  local position = 1
  while position <= #data do
    local a, b, c, d = data:byte(position, position + 3)
    local length = ((a * 256 + b) * 256 + c) * 256 + d
    count = count + 1
    requests[count] = data:sub(position + 4, position + 3 + length)
    position = position + 4 + length
  end
end

function request()
  at = at % count + 1
  return requests[at]
end

function done(summary, latency, _)
  local e = summary.errors
  io.write(string.format(
    'RESULT {"requests":%d,"duration":%d,"status":%d,"connect":%d,"read":%d,"write":%d,"timeout":%d,"p50":%.1f,"p99":%.1f}\n',
    summary.requests, summary.duration, e.status, e.connect, e.read, e.write, e.timeout,
    latency:percentile(50), latency:percentile(99)))
end
