// (e) WebSocket messages: ping and answer on a kept session, until the run is over.
import { options, pings } from './socket.js';

export { options };

const end = Date.now() + Number(__ENV.SECONDS) * 1000;

export default function () {
  pings(() => Date.now() >= end);
}
