/**
 * An addition to kafkajs 2.2.4: its admin reports the last stable offset as the end of a partition, which
 * is where the first open transaction begins. This asks for the end of the log itself. kafkajs has no
 * parameter for it that its admin would pass on, so it is taken from the context of the call.
 */
import { AsyncLocalStorage } from 'node:async_hooks';

/** Kafka's number for a reader that sees everything. */
const READ_UNCOMMITTED = 0;

const uncommitted = new AsyncLocalStorage<true>();

/** Whatever `ask` asks of an admin's offsets, it is answered with the ends of logs. */
export function atLogEnd<Answer>(ask: () => Promise<Answer>): Promise<Answer> {
  return uncommitted.run(true, ask);
}

export function patchListOffsets(require: NodeJS.Require): void {
  const prototype: { listOffsets(request: object): Promise<unknown> } =
    require('kafkajs/src/broker').prototype;
  const original = prototype.listOffsets;
  prototype.listOffsets = function (request) {
    const isolation = uncommitted.getStore() ? { isolationLevel: READ_UNCOMMITTED } : {};
    return original.call(this, { ...request, ...isolation });
  };
}
