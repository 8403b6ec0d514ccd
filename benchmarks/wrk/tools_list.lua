-- (a) tools/list on a kept session, which all connections share. The answer is not looked into: wrk's fastest way.
-- With PAUSE_MS (for benchmarks.latency) each connection waits 0 to twice that between two requests.
wrk.method = "POST"
wrk.body = '{"jsonrpc":"2.0","id":1,"method":"tools/list"}'
wrk.headers["Authorization"] = "Bearer " .. os.getenv("KEY")
wrk.headers["Content-Type"] = "application/json"
wrk.headers["Accept"] = "application/json, text/event-stream"
wrk.headers["Mcp-Session-Id"] = os.getenv("SESSION")

local pause = tonumber(os.getenv("PAUSE_MS") or "")
if pause then
  function delay()
    return math.floor(math.random() * 2 * pause + 0.5)
  end
end
