import { expect, test } from 'vitest';
import { PublishError } from '../../bridge/publisher/errors.ts';
import { Coalescer, type Sent } from '../../bridge/publisher/outbox/coalescer.ts';
import { settle } from '../support/virtual-clock.ts';

/** A coalescer of numbers, and what it sends; each send ends when the test says how. */
function start(bounds: { maxWaitingItems?: number; maxWaitingBytes?: number } = {}) {
  const sends: { items: readonly number[]; end: (sent?: Partial<Sent>) => void }[] = [];
  const coalescer = new Coalescer<number>({
    maxItems: 3,
    maxBytes: 10,
    ...bounds,
    send: (items) =>
      new Promise((resolve) => {
        sends.push({
          items,
          end: (sent) => resolve({ outcomes: items.map(() => undefined), ...sent }),
        });
      }),
  });
  return { coalescer, sends };
}

const codeOf = async (outcome: Promise<PublishError | undefined>) => (await outcome)?.code;

test('what is added in one turn goes together; what comes meanwhile goes with the next', async () => {
  const { coalescer, sends } = start();
  for (const item of [1, 2]) void coalescer.add(item, 1);
  await settle();
  for (const item of [3, 4, 5, 6]) void coalescer.add(item, 1);
  await settle();
  expect(sends.map(({ items }) => items)).toEqual([[1, 2]]);
  for (let at = 0; at < 3; at++) {
    sends[at]?.end();
    await settle();
  }
  expect(sends.map(({ items }) => items)).toEqual([[1, 2], [3, 4, 5], [6]]);
  await coalescer.idle();
});

test('a send is bounded in bytes, but for a single item', async () => {
  const { coalescer, sends } = start();
  for (const bytes of [4, 6, 1, 50, 1]) void coalescer.add(bytes, bytes);
  for (let at = 0; at < 4; at++) {
    await settle();
    sends[at]?.end();
  }
  await coalescer.idle();
  expect(sends.map(({ items }) => items)).toEqual([[4, 6], [1], [50], [1]]);
});

test('what waits is bounded, in count and in bytes', async () => {
  const { coalescer, sends } = start({ maxWaitingItems: 2, maxWaitingBytes: 20 });
  void coalescer.add(1, 1);
  await settle();
  void coalescer.add(2, 15);
  void coalescer.add(3, 5);
  expect(await codeOf(coalescer.add(4, 0))).toBe('publisher_busy');
  sends[0]?.end();
  await settle();
  expect(sends[1]?.items).toEqual([2]);
});

test('once one is refused all are, until half has gone: the next does not overtake it', async () => {
  const { coalescer, sends } = start({ maxWaitingItems: 4, maxWaitingBytes: 20 });
  void coalescer.add(1, 1);
  await settle();
  for (const item of [2, 3]) void coalescer.add(item, 8);
  expect(await codeOf(coalescer.add(4, 6))).toBe('publisher_busy');
  expect(await codeOf(coalescer.add(5, 1))).toBe('publisher_busy');
  sends[0]?.end();
  await settle();
  // 8 bytes wait, of 20.
  void coalescer.add(4, 6);
  sends[1]?.end();
  await settle();
  expect(sends.map(({ items }) => items)).toEqual([[1], [2], [3]]);
  sends[2]?.end();
  await settle();
  expect(sends[3]?.items).toEqual([4]);
});

test('what waits behind a send that fails as a whole fails with it, untried; what comes later is tried', async () => {
  const { coalescer, sends } = start();
  const first = coalescer.add(1, 1);
  await settle();
  const behind = coalescer.add(2, 1);
  const failure = new PublishError('kafka_unavailable', 'scripted');
  sends[0]?.end({ outcomes: [failure], failure });
  expect([await codeOf(first), await codeOf(behind)]).toEqual([failure.code, failure.code]);
  const later = coalescer.add(3, 1);
  await settle();
  sends[1]?.end();
  expect(await codeOf(later)).toBeUndefined();
  expect(sends.map(({ items }) => items)).toEqual([[1], [3]]);
});
