/**
 * `npm run simulate -- --seeds N [--from S] [--lines L] [--kind rooms|relays]`: lives so many lives of many
 * objects, of each kind. The first promise that is broken is printed with its seed and the last of what
 * happened.
 */
import { parseArgs } from 'node:util';
import { KIND_NAMES, live, toBeMetIn, traceOf } from './lives.ts';

/** A run of so many lives is to come across everything. */
const ENOUGH_LIVES = 1_000;

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '1000' },
    from: { type: 'string', default: '1' },
    kind: { type: 'string' },
    lines: { type: 'string', default: '150' },
  },
});
const seeds = Number(values.seeds);
const from = Number(values.from);
/** How much is shown of a life that breaks a promise, in lines. */
const shown = Number(values.lines);

// What a broken promise ends in the middle of is not awaited by anybody.
process.on('unhandledRejection', () => {});

// Calls fail so often that it costs too much to find out where each of their errors was made.
Error.stackTraceLimit = 0;

for (const kind of KIND_NAMES) {
  if (values.kind !== undefined && values.kind !== kind) continue;
  const coverage = toBeMetIn(kind);
  const startedAt = performance.now();
  let operations = 0;
  for (let seed = from; seed < from + seeds; seed++) {
    try {
      const lived = await live(kind, seed);
      operations += lived.operations;
      coverage.take(lived.coverage);
    } catch (error) {
      const trace = await traceOf(kind, seed);
      for (const line of trace.slice(-shown)) console.log(line);
      console.log(`${kind}, seed ${seed}: ${error instanceof Error ? error.message : error}`);
      process.exit(1);
    }
  }
  const seconds = (performance.now() - startedAt) / 1_000;
  const perLife = ((seconds / seeds) * 1_000).toFixed(2);
  const what = `${seeds} lives of ${kind}, ${operations} operations`;
  console.log(`${what}, ${seconds.toFixed(1)} s, ${perLife} ms a life`);
  for (const line of coverage.lines) console.log(line);
  if (seeds >= ENOUGH_LIVES && coverage.missing.length > 0) {
    console.log(`never met: ${coverage.missing.join(', ')}`);
    process.exit(1);
  }
}
