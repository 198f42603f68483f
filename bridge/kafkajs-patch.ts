/**
 * Four repairs of kafkajs 2.2.4, which has had no release since 2023. Each is of a private method,
 * so another version stops the start instead of being patched blindly.
 *
 * 1. A runner that has stopped fetched "nothing" at once, and its loop span in microtasks for ever
 *    when the list of brokers changed during a stop: no timer or signal ran again. Now it throws.
 *    The same method drops what was fetched for an assignment that a rebalance has replaced.
 * 2. An offset that Kafka no longer has was reset without a word to its user. Now it is told.
 * 3. A topic that was gone when it was fetched is only tried again, and once recreated read on from
 *    the old position, past its first records. Now the consumer ends, for its maker to begin anew.
 * 4. An empty queue of requests was polled every millisecond, with a negative timeout.
 */
import { EventEmitter } from 'node:events';
import { createRequire } from 'node:module';

const VERSION = '2.2.4';
/** How often a request that is held back looks whether it may go, in ms: kafkajs's own value. */
const CHECK_PENDING_MS = 10;

/** Kafka did not have `expected`, the next offset to be read, so reading began anew. */
export interface OffsetReset {
  readonly memberId: string;
  readonly topic: string;
  readonly partition: number;
  readonly expected: string;
}

/** kafkajs has no event for it and no way to add one, hence this one emitter for all consumers. */
export const offsetResets = new EventEmitter<{ reset: [OffsetReset] }>();

interface Runner {
  running: boolean;
  consumerGroup: { offsetManager: unknown };
}

interface ConsumerGroup {
  memberId: string;
  offsetManager: { nextOffset(topic: string, partition: number): { toString(): string } };
}

interface RequestQueue {
  pending: unknown[];
  throttledUntil: number;
  throttleCheckTimeoutId: NodeJS.Timeout | null;
  checkPendingRequests(): void;
}

let applied = false;

/** @throws when the kafkajs installed is not the one that was read for this. */
export function patchKafkajs(): void {
  if (applied) return;
  const require = createRequire(import.meta.url);
  const { version } = require('kafkajs/package.json');
  if (version !== VERSION) {
    throw new Error(`kafkajs ${version} is installed, but kafkajs-patch.ts repairs ${VERSION}`);
  }
  patchFetch(require('kafkajs/src/consumer/runner').prototype);
  const consumerGroup = require('kafkajs/src/consumer/consumerGroup').prototype;
  patchReset(consumerGroup);
  patchRecovery(consumerGroup);
  patchPolling(require('kafkajs/src/network/requestQueue').prototype);
  applied = true;
}

function patchFetch(prototype: { fetch(this: Runner, nodeId: number): Promise<unknown[]> }): void {
  const original = prototype.fetch;
  prototype.fetch = async function (nodeId) {
    if (!this.running) throw new Error('the consumer has stopped');
    const assignment = this.consumerGroup.offsetManager;
    const batches = await original.call(this, nodeId);
    return assignment === this.consumerGroup.offsetManager ? batches : [];
  };
}

function patchReset(prototype: {
  recoverFromOffsetOutOfRange(
    this: ConsumerGroup,
    error: { topic: string; partition: number },
  ): Promise<void>;
}): void {
  const original = prototype.recoverFromOffsetOutOfRange;
  prototype.recoverFromOffsetOutOfRange = async function (error) {
    const { topic, partition } = error;
    const { memberId } = this;
    const expected = this.offsetManager.nextOffset(topic, partition).toString();
    await original.call(this, error);
    offsetResets.emit('reset', { memberId, topic, partition, expected });
  };
}

function patchRecovery(prototype: {
  recoverFromFetch(error: Error & { type?: string }): Promise<void>;
}): void {
  const original = prototype.recoverFromFetch;
  prototype.recoverFromFetch = async function (error) {
    if (error.type === 'UNKNOWN_TOPIC_OR_PARTITION') {
      throw Object.assign(new Error('a topic is gone'), { type: error.type, retriable: false });
    }
    await original.call(this, error);
  };
}

function patchPolling(prototype: { scheduleCheckPendingRequests(this: RequestQueue): void }): void {
  prototype.scheduleCheckPendingRequests = function () {
    if (this.pending.length === 0 || this.throttleCheckTimeoutId !== null) return;
    const delayMs = Math.max(this.throttledUntil - Date.now(), CHECK_PENDING_MS);
    this.throttleCheckTimeoutId = setTimeout(() => {
      this.throttleCheckTimeoutId = null;
      this.checkPendingRequests();
    }, delayMs);
  };
}
