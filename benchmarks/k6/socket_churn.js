// (d) WebSocket churn: connect, ping, answer, close.
import { options, pings } from './socket.js';

export { options };

export default function () {
  pings(() => true);
}
