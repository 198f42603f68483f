/**
 * The same lives at each run, so that a run says the same of the same code; `npm run simulate` lives
 * more. A broken promise is told with the seed of its life.
 */
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { Coverage } from './coverage.ts';
import { live } from './life.ts';
import { MISTAKES } from './mistakes.ts';

/** What fits half a minute on an idle machine. */
const LIVES = 2_000;
/** In which a planted mistake must be found out. */
const MISTAKE_LIVES = 1_000;
/** A machine may be busy. */
const TIMEOUT_MS = 600_000;

describe('objects keep their promises to each other, whatever happens', () => {
  it('in all the lives of a run, which come across everything', {
    timeout: TIMEOUT_MS,
  }, async () => {
    const coverage = new Coverage();
    for (let seed = 1; seed <= LIVES; seed++) {
      const lived = await live(seed).catch((error: unknown) => {
        throw new Error(`seed ${seed}`, { cause: error });
      });
      coverage.take(lived.coverage);
    }
    expect(coverage.missing).toEqual([]);
  });
});

describe('the promises find out that', () => {
  // A turn that fails rejects the call that it was the outcome of, which nobody awaits then.
  let listeners: NodeJS.UnhandledRejectionListener[];
  beforeAll(() => {
    listeners = process.listeners('unhandledRejection');
    process.removeAllListeners('unhandledRejection');
    process.on('unhandledRejection', () => {});
  });
  afterAll(async () => {
    await new Promise(setImmediate);
    process.removeAllListeners('unhandledRejection');
    for (const listener of listeners) process.on('unhandledRejection', listener);
  });
  afterEach(() => vi.restoreAllMocks());

  it.each(MISTAKES)('$mistake', { timeout: TIMEOUT_MS }, async ({ breaks, plant, storage }) => {
    plant?.();
    let isFound = false;
    for (let seed = 1; seed <= MISTAKE_LIVES && !isFound; seed++) {
      const broken = await live(seed, { storage }).then(
        () => undefined,
        (error: Error) => error.message,
      );
      isFound = broken !== undefined && (breaks?.test(broken) ?? true);
    }
    expect(isFound).toBe(true);
  });
});
