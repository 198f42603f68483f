/**
 * Whether a room's sockets feel that ten of them never read: p50 and p99 of the 990 others, with the
 * ten and without, in rounds that alternate, over the whole path. Before they are measured the ten
 * have been sent so much that the kernel's buffers are full, some 4 MB a socket, and workerd's own
 * would fill. Beside it what workerd holds in memory.
 *
 * BENCH_ROUNDS   5
 * BENCH_SECONDS  5    of each round
 * BENCH_RATE     20   events a second
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Crowd } from '../support/crowd.ts';
import { residentMemory } from '../support/resident-memory.ts';
import { SlowReader } from '../support/slow-reader.ts';
import { type Uniform, UniformEvents } from '../support/uniform-events.ts';
import { reserveCore } from './cores.ts';
import { median } from './median.ts';
import { type Path, produceSteadily, startPath } from './path.ts';
import { runStep, type Step } from './step.ts';

const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 5);
const SECONDS = Number(process.env.BENCH_SECONDS ?? 5);
const RATE = Number(process.env.BENCH_RATE ?? 20);
const READING = 990;
const SLOW = 10;
const SAMPLES = 50;
/** All in one symbol's room, which is keyed: the ten are conflated, not closed, meanwhile. */
const UNIFORM: Uniform = { kind: 'orderbook', symbol: 'BENCH', length: 4 * 1024 };
/** Beyond 6 MB a socket. */
const FILL = { rate: 800, count: 1_600 };
const WARM_UP = { rate: 10, seconds: 5, leastEvents: 1, deadlineMs: 30_000 };
const DEADLINE_MS = 30_000;

interface Round {
  readonly step: Step;
  readonly memory: number;
}

export async function benchSlowReaders(): Promise<void> {
  const stateDir = await mkdtemp(join(tmpdir(), 'gateway-bench-'));
  const events = new UniformEvents(UNIFORM);
  const launcher = reserveCore();
  const crowd = new Crowd(launcher);
  const path = await startPath({
    stateDir,
    topic: events.topic,
    bindings: { ROOM_MAX_SOCKETS: '2000' },
  });
  try {
    await measure(path, crowd, events, 'without', true);
    const rounds: { with: Round; without: Round }[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const order =
        round % 2 === 0 ? (['with', 'without'] as const) : (['without', 'with'] as const);
      const results = new Map<'with' | 'without', Round>();
      for (const which of order) results.set(which, await measure(path, crowd, events, which));
      const [slow, none] = [results.get('with'), results.get('without')];
      if (slow === undefined || none === undefined) throw new Error('not measured');
      rounds.push({ with: slow, without: none });
      console.log(`round ${round + 1}   with: ${describe(slow)}`);
      console.log(`       without: ${describe(none)}`);
    }
    const of = (pick: (round: Round) => number, which: 'with' | 'without') =>
      median(rounds.map((round) => pick(round[which])));
    console.log(`medians of ${ROUNDS} rounds, ${READING} sockets that read, ${RATE} events/s`);
    for (const which of ['with', 'without'] as const) {
      console.log(
        `  ${which.padEnd(8)} ${SLOW} that do not: ` +
          `p50 ${of(({ step }) => step.report.latency.p50, which).toFixed(1)} ms, ` +
          `p99 ${of(({ step }) => step.report.latency.p99, which).toFixed(1)} ms, ` +
          `workerd ${of(({ memory }) => memory, which).toFixed(0)} MB`,
      );
    }
  } finally {
    crowd.stop();
    await path.stop();
    await rm(stateDir, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** One round, with sockets that are new. */
async function measure(
  path: Path,
  crowd: Crowd,
  events: UniformEvents,
  which: 'with' | 'without',
  isWarmUp = false,
): Promise<Round> {
  const slow: SlowReader[] = [];
  if (which === 'with') {
    for (let index = 0; index < SLOW; index++) slow.push(await SlowReader.join(path.url, events));
  }
  // Both ways, so that both rooms have had the same to do.
  const witness = await SlowReader.join(path.url, events);
  witness.readOn();
  const filled = witness.cursor + FILL.count;
  await produceSteadily(path.producer, events, FILL);
  await witness.reach(filled);
  witness.cut();
  const join = { url: path.url, uniform: UNIFORM, sockets: READING, samples: SAMPLES };
  const head = await crowd.join(join);
  const load = { rate: RATE, seconds: SECONDS, leastEvents: 1, deadlineMs: DEADLINE_MS };
  const step = await runStep(path, crowd, events, head, isWarmUp ? WARM_UP : load);
  const memory = residentMemory(path.workerd);
  await crowd.leave();
  await requireStuck(slow, head + step.count);
  for (const reader of slow) reader.cut();
  return { step, memory };
}

/** They had in fact not been sent everything: reading on, they see that events were left out. */
async function requireStuck(slow: readonly SlowReader[], head: number): Promise<void> {
  for (const reader of slow) reader.readOn();
  await Promise.all(slow.map((reader) => reader.reach(head)));
  for (const { read, ended } of slow) {
    const wasStuck = read.some((frame) => 'whole' in frame && !frame.whole);
    if (!wasStuck) throw new Error(`a slow reader was not slow (${ended ?? 'open'})`);
  }
}

function describe({ step: { report, loss, workerdShare }, memory }: Round): string {
  const { p50, p99, max } = report.latency;
  return (
    `p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms, most ${max.toFixed(1)} ms; ` +
    `workerd ${memory.toFixed(0)} MB, ${Math.round(workerdShare * 100)} %; ` +
    `load ${Math.round(report.cpuShare * 100)} %, lag ${report.lagMs.toFixed(0)} ms` +
    (loss === undefined ? '' : `; ${loss}`)
  );
}
