import { describe, expect, test } from 'vitest';
import { Committer } from '../../bridge/kafka/committer.ts';
import type { Position } from '../../bridge/kafka/record.ts';

const A = { topic: 'a', partition: 0 };
const B = { topic: 'b', partition: 1 };

/** A committer whose commits are answered by the test. */
function open() {
  const commits: Position[][] = [];
  let answer = (_?: Error) => {};
  let failures = 0;
  const committer = new Committer(
    {
      commit: (positions) => {
        commits.push([...positions]);
        return new Promise((resolve, reject) => {
          answer = (error) => (error === undefined ? resolve() : reject(error));
        });
      },
      failed: () => failures++,
    },
    async () => undefined,
  );
  const settle = () => new Promise((resolve) => setImmediate(resolve));
  return {
    committer,
    commits,
    failures: () => failures,
    answer: async (error?: Error) => {
      answer(error);
      await settle();
    },
  };
}

describe('a committer', () => {
  test('commits the position after the last record, of all partitions together', async () => {
    const { committer, commits, answer } = open();
    committer.mark(A, '9007199254740993');
    committer.mark(A, '9007199254740994');
    committer.mark(B, '5');
    await answer();
    await answer();
    expect(commits).toEqual([
      [{ ...A, offset: '9007199254740994' }],
      [
        { ...A, offset: '9007199254740995' },
        { ...B, offset: '6' },
      ],
    ]);
  });

  test('tries again what failed, with the newest position', async () => {
    const { committer, commits, answer, failures } = open();
    committer.mark(A, '1');
    committer.mark(A, '2');
    await answer(new Error('coordinator moved'));
    await answer();
    expect(commits.at(-1)).toEqual([{ ...A, offset: '3' }]);
    expect(failures()).toBe(1);
  });

  test('forgets at a rebalance what it had not committed', async () => {
    const { committer, commits, answer } = open();
    committer.mark(A, '1');
    committer.clear();
    await answer(new Error('rebalance in progress'));
    committer.mark(B, '1');
    await answer();
    expect(commits).toEqual([[{ ...A, offset: '2' }], [{ ...B, offset: '2' }]]);
  });

  test('flushes what is pending at a stop', async () => {
    const { committer, commits, answer } = open();
    committer.mark(A, '1');
    committer.mark(A, '2');
    const flushed = committer.flush();
    await answer();
    await answer();
    await flushed;
    expect(commits.at(-1)).toEqual([{ ...A, offset: '3' }]);
  });
});
