// Pings over a WebSocket, each answer parsed and matched by id and its latency kept.
import { check } from 'k6';
import { Rate, Trend } from 'k6/metrics';
import ws from 'k6/ws';

export const failures = new Rate('failures');
export const latency = new Trend('latency', true);
export const options = {
  thresholds: { failures: ['rate<0.001'], latency: ['p(99)<1000'], ws_connecting: ['p(99)<1000'] },
};

const URL = __ENV.WS_URL;
const PARAMS = { headers: { Authorization: `Bearer ${__ENV.KEY}` } };

let id = 0;

// Opens a socket and pings until `over()` says that it is enough; an answer is an error for some servers, and proves life.
export function pings(over) {
  const response = ws.connect(URL, PARAMS, (socket) => {
    let began = 0;
    let closing = false;
    const ping = () => {
      id += 1;
      began = Date.now();
      socket.send(JSON.stringify({ jsonrpc: '2.0', id, method: 'ping' }));
    };
    socket.on('open', ping);
    socket.on('message', (message) => {
      const well = JSON.parse(message).id === id;
      latency.add(Date.now() - began);
      check(well, { 'the answer has the id': (value) => value });
      failures.add(!well);
      closing = over();
      if (closing) socket.close();
      else ping();
    });
    // The real server ends the connection without a close frame, which k6 calls an error.
    socket.on('error', () => closing || failures.add(true));
  });
  if (response.status !== 101) failures.add(true);
}
