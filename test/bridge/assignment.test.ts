import { describe, expect, test } from 'vitest';
import { Assignment } from '../../bridge/delivery/assignment.ts';
import { Batcher } from '../../bridge/delivery/batcher.ts';
import type { Partition } from '../../bridge/kafka/record.ts';
import { fetchOf, records } from './records.ts';

const SLOW = { topic: 'slow', partition: 0 };
const QUICK = { topic: 'quick', partition: 0 };

/** An assignment whose deliveries of `slow` hang until `release`, with what it told kafkajs. */
function assign(budgetBytes = 1_000) {
  const told: string[] = [];
  const delivered: string[] = [];
  const waits: number[] = [];
  let release = () => {};
  const assignment = new Assignment(
    budgetBytes,
    {
      batcher: new Batcher('cluster'),
      delivery: {
        deliver: ({ topic }, _, stop) =>
          topic === 'quick'
            ? Promise.resolve(true)
            : new Promise((resolve) => {
                release = () => resolve(true);
                stop.retrying.addEventListener('abort', () => resolve(false));
              }),
      },
      pause: ({ topic }) => told.push(`pause ${topic}`),
      resume: ({ topic }) => told.push(`resume ${topic}`),
      delivered: ({ topic }, offset) => delivered.push(`${topic} ${offset}`),
    },
    async (ms) => {
      waits.push(ms);
    },
  );
  let advanced = 0;
  const take = (partition: Partition, count = 10) =>
    assignment.enqueue({ ...partition, ...fetchOf(records(count)), advance: () => advanced++ });
  const settle = () => new Promise((resolve) => setImmediate(resolve));
  return {
    assignment,
    told,
    delivered,
    waits,
    take,
    advanced: () => advanced,
    release: async () => {
      release();
      await settle();
    },
    settle,
  };
}

describe('an assignment', () => {
  test('fetches on as soon as a batch is queued, long before it is delivered', async () => {
    const { assignment, take, advanced, told } = assign(1_000_000);
    assignment.renew([SLOW, QUICK]);
    await take(SLOW);
    await take(SLOW);
    expect(advanced()).toBe(2);
    expect(told).toEqual([]);
  });

  test('pauses a lane that stays full, not its sibling, and resumes it when it drains', async () => {
    const { assignment, take, told, delivered, waits, release, settle } = assign();
    assignment.renew([SLOW, QUICK]);
    await take(SLOW);
    await take(QUICK);
    await settle();
    expect(told).toEqual(['pause slow']);
    expect(delivered).toEqual(['quick 9']);
    expect(waits).toContain(100);
    await release();
    expect(told).toEqual(['pause slow', 'resume slow']);
    expect(delivered).toEqual(['quick 9', 'slow 9']);
  });

  test('does not move past a batch that a full lane refused', async () => {
    const { assignment, take, advanced } = assign();
    assignment.renew([SLOW]);
    await take(SLOW);
    await take(SLOW);
    expect(advanced()).toBe(1);
  });

  test('begins anew at a rebalance: nothing of before is reported, what was paused is resumed', async () => {
    const { assignment, take, told, delivered, release, advanced } = assign();
    assignment.renew([SLOW]);
    await take(SLOW);
    assignment.renew([QUICK]);
    await release();
    expect(told).toEqual(['pause slow', 'resume slow']);
    expect(delivered).toEqual([]);
    await take(SLOW);
    expect(advanced()).toBe(1);
    expect(assignment.bytes).toBe(0);
  });
});
