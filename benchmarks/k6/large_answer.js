// (f) tools/call with an answer of 64 KB, on a kept session.
import { ask, done, initialize, options } from './session.js';

export { options };

const CALL = { name: 'discover_mcp_tools', arguments: { server_url: 'http://localhost' } };

let session = null;

export default function () {
  if (session === null) session = initialize();
  const answer = session && ask(session, 'tools/call', CALL);
  done(answer !== null && right(answer));
}

// The MOP server tells of errors inside the text. As in mop-locust, that is parsed only when the word occurs at all.
function right(answer) {
  if (answer.json('result.isError') === true || answer.json('result.content.0.type') !== 'text') return false;
  if (answer.body.includes('error') && JSON.parse(answer.json('result.content.0.text')).error) return false;
  return answer.body.length >= 50000;
}
