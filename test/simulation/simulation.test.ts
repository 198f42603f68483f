/**
 * The same lives at each run, so that a run says the same of the same code; `SIMULATION_SEED=random`
 * (or a number) lives others, `SIMULATION_RUNS=100000` more. A failure names its seed and its path.
 */
import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { MISTAKES } from './mistakes.ts';
import { play, type Script, scriptOf } from './script.ts';

/** How many lives of each kind of room are lived. */
const RUNS = Number(process.env.SIMULATION_RUNS ?? 10_000);
const SEED = seedOf(process.env.SIMULATION_SEED ?? '1');
/** Within how many lives a planted mistake must be found out. They are always the same lives. */
const MISTAKE_RUNS = 2_000;
const MISTAKE_SEED = 1;
/** A run of the lives takes half a minute on an idle machine. */
const TIMEOUT_MS = 300_000;

describe('a room keeps its promises, whatever happens', () => {
  it.each(['durable', 'keyed'] as const)('that is %s', { timeout: TIMEOUT_MS }, async (kind) => {
    const keepsThem = fc.asyncProperty(scriptOf(kind), async (script: Script) => {
      await play(script);
    });
    await fc.assert(keepsThem, { numRuns: RUNS, ...SEED });
  });
});

describe('the promises find out that', () => {
  afterEach(() => vi.restoreAllMocks());

  it.each(MISTAKES)('$mistake', async ({ kind, plant, chunks }) => {
    plant?.();
    const keepsThem = fc.asyncProperty(scriptOf(kind), async (script: Script) => {
      await play(script, chunks);
    });
    const run = { numRuns: MISTAKE_RUNS, seed: MISTAKE_SEED, endOnFailure: true };
    expect((await fc.check(keepsThem, run)).failed).toBe(true);
  });
});

function seedOf(text: string): { seed?: number } {
  return text === 'random' ? {} : { seed: Number(text) };
}
