/**
 * `npm run simulate -- --seeds N [--from S] [--lines L]`: lives so many lives of many objects. The first promise that
 * is broken is printed with its seed and the last of what happened.
 */
import { parseArgs } from 'node:util';
import { Coverage } from './coverage.ts';
import { live, traceOf } from './life.ts';

/** A run of so many lives is to come across everything. */
const ENOUGH_LIVES = 1_000;

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '1000' },
    from: { type: 'string', default: '1' },
    lines: { type: 'string', default: '150' },
  },
});
const seeds = Number(values.seeds);
const from = Number(values.from);
/** How much is shown of a life that breaks a promise, in lines. */
const shown = Number(values.lines);

// What a broken promise ends in the middle of is not awaited by anybody.
process.on('unhandledRejection', () => {});

// So many calls fail that it costs too much to find out where each of their errors was made.
Error.stackTraceLimit = 0;

const coverage = new Coverage();
const startedAt = performance.now();
let operations = 0;
for (let seed = from; seed < from + seeds; seed++) {
  try {
    const lived = await live(seed);
    operations += lived.operations;
    coverage.take(lived.coverage);
  } catch (error) {
    Error.stackTraceLimit = 20;
    const trace = await traceOf(seed);
    for (const line of trace.slice(-shown)) console.log(line);
    console.log(`seed ${seed}: ${error instanceof Error ? error.message : error}`);
    process.exit(1);
  }
}
const seconds = (performance.now() - startedAt) / 1_000;
const perLife = ((seconds / seeds) * 1_000).toFixed(2);
console.log(
  `${seeds} lives, ${operations} operations, ${seconds.toFixed(1)} s, ${perLife} ms a life`,
);
for (const line of coverage.lines) console.log(line);
if (seeds >= ENOUGH_LIVES && coverage.missing.length > 0) {
  console.log(`never met: ${coverage.missing.join(', ')}`);
  process.exit(1);
}
