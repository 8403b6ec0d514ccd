// (b) A fresh session for each tools/list.
import { ask, done, end, initialize, options } from './session.js';

export { options };

export default function () {
  const session = initialize();
  const answer = session && ask(session, 'tools/list');
  const listed = answer !== null && answer.json('result.tools.#') > 0;
  done(session !== null && end(session) && listed);
}
