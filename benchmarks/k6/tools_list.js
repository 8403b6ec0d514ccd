// (a) tools/list on a kept session.
import { ask, done, initialize, options } from './session.js';

export { options };

let session = null;

export default function () {
  if (session === null) session = initialize();
  const answer = session && ask(session, 'tools/list');
  done(answer !== null && answer.json('result.tools.#') > 0);
}
