/**
 * The repairs of kafkajs 2.2.4, which has had no release since 2023. Each is of a private method,
 * so another version stops the start instead of being patched blindly.
 *
 * 1. When the list of brokers changed during a stop, a stopped runner fetched "nothing" at once, and
 *    its loop span in microtasks for ever: no timer or signal ran again. Now it throws.
 *    The same method drops what was fetched for an assignment that a rebalance has replaced.
 * 2. An offset that Kafka no longer has was reset without a word to its user. Now it is reported.
 * 3. A topic that was gone when it was fetched was only tried again. When it was made anew, it was read
 *    on from the old position, past its first records. Now the consumer ends, and another is made.
 * 4. An empty queue of requests was polled every millisecond: see timers.ts.
 * 5. Record batches were decoded without a bound and without a break, and one that could not be read
 *    ended the consumer at every fetch: see record-batches.ts.
 * 6. Records of aborted transactions were delivered: see transactions.ts.
 * 7. The position never passed what has no visible record: see passed.ts.
 * 8. The end of a log could not be asked for: see log-end.ts.
 * 9. What every broker refused was reported as something else: see broker-errors.ts.
 */
import { EventEmitter } from 'node:events';
import { createRequire } from 'node:module';
import { patchBrokerErrors } from './broker-errors.ts';
import { patchListOffsets } from './log-end.ts';
import { patchPositions } from './passed.ts';
import { patchDecoding } from './record-batches.ts';
import { quietenKafkajs } from './timers.ts';
import { patchVisibility } from './transactions.ts';

const VERSION = '2.2.4';

/** Kafka did not have `expected`, the next offset to be read, so reading began anew. */
export interface OffsetReset {
  readonly memberId: string;
  readonly topic: string;
  readonly partition: number;
  readonly expected: string;
}

/** kafkajs has no event for it and no way to add one, so all consumers share this emitter. */
export const offsetResets = new EventEmitter<{ reset: [OffsetReset] }>();

interface Runner {
  running: boolean;
  consumerGroup: { offsetManager: unknown };
}

interface ConsumerGroup {
  memberId: string;
  offsetManager: { nextOffset(topic: string, partition: number): { toString(): string } };
}

let applied = false;

/** @throws when another version of kafkajs is installed than the one that is repaired. */
export function patchKafkajs(): void {
  if (applied) return;
  const require = createRequire(import.meta.url);
  const { version } = require('kafkajs/package.json');
  if (version !== VERSION) {
    throw new Error(`kafkajs ${version} is installed, but patch.ts repairs ${VERSION}`);
  }
  patchFetch(require('kafkajs/src/consumer/runner').prototype);
  const consumerGroup = require('kafkajs/src/consumer/consumerGroup').prototype;
  patchReset(consumerGroup);
  patchRecovery(consumerGroup);
  quietenKafkajs();
  patchDecoding(require);
  patchVisibility(require);
  patchPositions(require);
  patchListOffsets(require);
  patchBrokerErrors(require);
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
