// (c) Initialize, open the event stream, wait for its first byte, DELETE. k6 reads a stream to its end, so the server ends it.
import { done, end, firstByte, initialize, options } from './session.js';

export { options };

export default function () {
  const session = initialize();
  const came = session !== null && firstByte(session);
  done(session !== null && end(session) && came);
}
