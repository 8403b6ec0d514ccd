-- tools/list on a kept session, with a pause of 0 to twice PAUSE_MS, as in scenarios/held_list.py.
-- wrk --latency prints no P95: the line at the end does, in microseconds.
wrk.method = "POST"
wrk.body = '{"jsonrpc":"2.0","id":1,"method":"tools/list"}'
wrk.headers["Authorization"] = "Bearer " .. os.getenv("KEY")
wrk.headers["Content-Type"] = "application/json"
wrk.headers["Accept"] = "application/json, text/event-stream"
wrk.headers["Mcp-Session-Id"] = os.getenv("SESSION")

local most = 2 * tonumber(os.getenv("PAUSE_MS"))

function delay()
  return math.random(0, most)
end

function done(summary, latency)
  io.write(string.format("held_list %d %d %d %d\n", summary.requests,
    latency:percentile(50), latency:percentile(95), latency:percentile(99)))
end
