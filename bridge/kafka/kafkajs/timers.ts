/**
 * One repair of kafkajs 2.2.4: an empty queue of requests is polled every millisecond, with a
 * negative timeout of which Node warns on the console. This repair is apart from the others, because
 * those change consumers, and the consumers of a backend service are not ours to change.
 */
import { createRequire } from 'node:module';

/** How often a request that is held back looks whether it may go, in ms. It is kafkajs's own value. */
const CHECK_PENDING_MS = 10;

interface RequestQueue {
  pending: unknown[];
  throttledUntil: number;
  throttleCheckTimeoutId: NodeJS.Timeout | null;
  checkPendingRequests(): void;
  scheduleCheckPendingRequests(): void;
}

let applied = false;

/** It does nothing to another version of kafkajs, which would only be noisy and not wrong. */
export function quietenKafkajs(): void {
  if (applied) return;
  applied = true;
  const require = createRequire(import.meta.url);
  const { version } = require('kafkajs/package.json');
  if (version !== '2.2.4') return;
  const prototype: RequestQueue = require('kafkajs/src/network/requestQueue').prototype;
  prototype.scheduleCheckPendingRequests = function (this: RequestQueue) {
    if (this.pending.length === 0 || this.throttleCheckTimeoutId !== null) return;
    const delayMs = Math.max(this.throttledUntil - Date.now(), CHECK_PENDING_MS);
    this.throttleCheckTimeoutId = setTimeout(() => {
      this.throttleCheckTimeoutId = null;
      this.checkPendingRequests();
    }, delayMs);
  };
}
