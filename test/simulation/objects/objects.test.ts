/**
 * The same lives at each run, so that a run says the same of the same code; `npm run simulate` lives
 * more. A broken promise is told with the seed of its life.
 */
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { KIND_NAMES, type KindName, live, toBeMetIn } from './lives.ts';
import { MISTAKES } from './mistakes.ts';
import { RELAY_MISTAKES } from './relay-mistakes.ts';

/** What fits a minute on an idle machine. */
const LIVES: Readonly<Record<KindName, number>> = { rooms: 1_000, relays: 300 };
/** Within how many lives a planted mistake must be found out. */
const MISTAKE_LIVES = 1_000;
/** A machine may be busy. */
const TIMEOUT_MS = 600_000;

describe('objects keep their promises to each other, whatever happens', () => {
  it.each(KIND_NAMES)(
    'in all the lives of %s, which come across everything',
    {
      timeout: TIMEOUT_MS,
    },
    async (kind) => {
      const coverage = toBeMetIn(kind);
      for (let seed = 1; seed <= LIVES[kind]; seed++) {
        const lived = await live(kind, seed).catch((error: unknown) => {
          throw new Error(`seed ${seed}`, { cause: error });
        });
        coverage.take(lived.coverage);
      }
      expect(coverage.missing).toEqual([]);
    },
  );
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

  it.each([...MISTAKES, ...RELAY_MISTAKES])(
    '$mistake',
    { timeout: TIMEOUT_MS },
    async ({ kind = 'rooms', breaks, plant, storage }) => {
      plant?.();
      let isFound = false;
      for (let seed = 1; seed <= MISTAKE_LIVES && !isFound; seed++) {
        const broken = await live(kind, seed, { storage }).then(
          () => undefined,
          (error: Error) => error.message,
        );
        isFound = broken !== undefined && (breaks?.test(broken) ?? true);
      }
      expect(isFound).toBe(true);
    },
  );
});
