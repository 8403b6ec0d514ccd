// An MCP session over HTTP, as a k6 user would write it. Each answer is parsed and matched to its request by id.
import { check } from 'k6';
import http from 'k6/http';
import { Rate } from 'k6/metrics';

export const failures = new Rate('failures');
export const options = {
  discardResponseBodies: false,
  thresholds: { failures: ['rate<0.001'], http_req_duration: ['p(99)<1000'] },
};

const URL = __ENV.HTTP_URL;
const HEADERS = {
  Authorization: `Bearer ${__ENV.KEY}`,
  'Content-Type': 'application/json',
  Accept: 'application/json, text/event-stream',
};
const INITIALIZE = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'k6', version: '1' } };

let id = 0;

// Sends one request and gives its answer, null when it is none. Of k6's ways to parse JSON the cheapest by far is to ask for
// single members: the whole body is validated once, and only what is asked for becomes a JavaScript value.
export function ask(session, method, params) {
  id += 1;
  const request = { jsonrpc: '2.0', id, method };
  if (params !== undefined) request.params = params;
  const answer = http.post(URL, JSON.stringify(request), session.params);
  return answer.status === 200 && answer.json('id') === id && answer.json('error') === undefined ? answer : null;
}

export function initialize() {
  const answer = ask({ params: { headers: HEADERS } }, 'initialize', INITIALIZE);
  if (answer === null) return null;
  const session = answer.headers['Mcp-Session-Id'];
  const version = answer.json('result.protocolVersion');
  return { params: { headers: { ...HEADERS, 'Mcp-Session-Id': session, 'MCP-Protocol-Version': version } } };
}

export function firstByte(session) {
  const headers = { ...session.params.headers, Accept: 'text/event-stream' };
  const response = http.get(URL, { headers });
  return response.status === 200 && response.headers['Content-Type'] === 'text/event-stream' && response.timings.waiting >= 0;
}

export function end(session) {
  return http.del(URL, null, session.params).status === 200;
}

// One operation is over: it went well or not.
export function done(well) {
  check(well, { 'went well': (value) => value });
  failures.add(!well);
}
