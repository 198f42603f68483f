/**
 * One room and many sockets: what the whole path delivers, what that costs, and how late. A producer
 * writes to a real Kafka; bridge, Worker and room take it to N sockets of one process, each of which
 * verifies that it gets every event. Beside it, taking turns in the same run on a Kafka, a bridge and
 * a workerd of its own: the same Worker with one frame per event (one-frame-per-event.ts).
 *
 * Each round climbs: the rate doubles until the 99th percentile is over 250 ms, twice, or something is
 * lost.
 * With `--relay` the sockets of the one are those of a relay, which follows the room, and the sockets of
 * the other are the room's own.
 *
 * Latency is from just before the event is handed to Kafka until a client has read it.
 *
 * BENCH_SOCKETS   100,1000,5000  sockets in the room
 * BENCH_ROUNDS    5
 * BENCH_SECONDS   1.5            of each step
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Crowd } from '../support/crowd.ts';
import { type Uniform, UniformEvents } from '../support/uniform-events.ts';
import { reserveCore } from './cores.ts';
import { median } from './median.ts';
import { buildOneFramePerEvent } from './one-frame-per-event.ts';
import { type Path, startPath } from './path.ts';
import { runStep, type Step } from './step.ts';

const SOCKETS = (process.env.BENCH_SOCKETS ?? '100,1000,5000').split(',').map(Number);
const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 5);
const SECONDS = Number(process.env.BENCH_SECONDS ?? 1.5);
/** A price as in market.ts. */
const UNIFORM: Uniform = { kind: 'price', symbol: 'BENCH', length: 250 };
const MAX_P99_MS = 250;
/** The first rate is what makes so many events a second over all sockets. */
const FIRST_DELIVERIES = 10_000;
const RATE_FACTOR = 2;
/** Beyond what one partition is expected to bring. */
const MAX_RATE = 20_000;
const LEAST_EVENTS = 8;
/** After the last event was produced. */
const DEADLINE_MS = 10_000;
const SAMPLES = 50;
/** What the first of the two has to deliver per CPU-second, as a multiple of the other. */
const GOAL = 4;
const WARM_UP = { sockets: 20, rate: 300, seconds: 5, leastEvents: 1, deadlineMs: 20_000 };

interface Contender {
  readonly name: string;
  readonly overRelay: boolean;
  readonly path: Path;
  readonly crowd: Crowd;
  head: number;
}

/** Good steps, and at the end the one that was not. */
type Climb = readonly Step[];

export async function benchFanout(args: readonly string[]): Promise<void> {
  const stateDir = await mkdtemp(join(tmpdir(), 'gateway-bench-'));
  const events = new UniformEvents(UNIFORM);
  const launcher = reserveCore();
  const contenders: Contender[] = [];
  try {
    const kinds = args.includes('--relay')
      ? [
          { name: 'through a relay', overRelay: true },
          { name: 'direct', overRelay: false },
        ]
      : [
          { name: 'gateway', overRelay: false },
          {
            name: 'one frame per event',
            overRelay: false,
            configPath: await buildOneFramePerEvent(join(stateDir, 'one-frame')),
          },
        ];
    for (const { name, overRelay, configPath } of kinds) {
      const path = await startPath({
        stateDir: join(stateDir, name.replaceAll(' ', '-')),
        topic: events.topic,
        configPath,
        bindings: { ROOM_MAX_SOCKETS: '32000' },
      });
      contenders.push({ name, overRelay, path, crowd: new Crowd(launcher), head: 0 });
    }
    for (const contender of contenders) await warmUp(contender, events);
    for (const sockets of SOCKETS) await compare(contenders, sockets, events);
  } finally {
    for (const { path, crowd } of contenders) {
      crowd.stop();
      await path.stop();
    }
    await rm(stateDir, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** Everything that compiles as it runs has done so before anything is measured. */
async function warmUp({ path, crowd, overRelay }: Contender, events: UniformEvents): Promise<void> {
  const { sockets } = WARM_UP;
  const join = { url: path.url, uniform: UNIFORM, sockets, samples: 1, overRelay };
  const head = await crowd.join(join);
  await runStep(path, crowd, events, head, WARM_UP);
  await crowd.leave();
}

async function compare(
  contenders: readonly Contender[],
  sockets: number,
  events: UniformEvents,
): Promise<void> {
  console.log(`\n${sockets} sockets in ${events.room}, events of ${UNIFORM.length} bytes`);
  const climbs = new Map<Contender, Climb[]>(contenders.map((contender) => [contender, []]));
  for (let round = 0; round < ROUNDS; round++) {
    // Whoever goes first alternates, so that a trend of the machine favours neither.
    for (const contender of round % 2 === 0 ? contenders : contenders.toReversed()) {
      const climb = await climbOf(contender, sockets, events);
      climbs.get(contender)?.push(climb);
      const last = climb.at(-1);
      console.log(
        `round ${round + 1}, ${contender.name}: ${climb.length - 1} good steps, ` +
          `${last === undefined ? '' : `not at ${last.rate}/s (${failureOf(last)})`}`,
      );
    }
  }
  for (const [{ name }, all] of climbs) reportRates(name, all);
  reportRatio(sockets, climbs);
}

async function climbOf(
  contender: Contender,
  sockets: number,
  events: UniformEvents,
): Promise<Climb> {
  const { path, crowd, overRelay } = contender;
  const samples = Math.min(SAMPLES, sockets);
  contender.head = await crowd.join({
    url: path.url,
    uniform: UNIFORM,
    sockets,
    samples,
    overRelay,
  });
  const steps: Step[] = [];
  for (let rate = FIRST_DELIVERIES / sockets; rate <= MAX_RATE; rate *= RATE_FACTOR) {
    const load = { rate, seconds: SECONDS, leastEvents: LEAST_EVENTS, deadlineMs: DEADLINE_MS };
    let step = await runStep(path, crowd, events, contender.head, load);
    contender.head += step.count;
    if (failureOf(step) !== undefined && step.loss === undefined) {
      // Late once may be the machine's doing.
      step = await runStep(path, crowd, events, contender.head, load);
      contender.head += step.count;
    }
    steps.push(step);
    if (failureOf(step) !== undefined) break;
  }
  await crowd.leave();
  return steps;
}

function failureOf({ loss, report }: Step): string | undefined {
  if (loss !== undefined) return loss;
  const { p99 } = report.latency;
  return p99 > MAX_P99_MS ? `p99 ${Math.round(p99)} ms` : undefined;
}

function reportRates(name: string, climbs: readonly Climb[]): void {
  console.log(`\n${name} (medians of ${climbs.length} rounds)`);
  console.log(
    '  events/s   delivered/s   per CPU-s  frames/event    p50    p99  workerd  bridge  load  lag',
  );
  const byRate = Map.groupBy(climbs.flat(), ({ rate }) => rate);
  for (const [rate, steps] of [...byRate].toSorted(([a], [b]) => a - b)) {
    const of = (pick: (step: Step) => number) => median(steps.map(pick));
    const percent = (pick: (step: Step) => number) => `${Math.round(of(pick) * 100)} %`;
    const failures = steps.flatMap((step) => failureOf(step) ?? []);
    const notes = [
      ...(steps.length < climbs.length ? [`reached in ${steps.length} rounds`] : []),
      ...(failures.length === 0 ? [] : [`not good in ${failures.length}: ${failures[0]}`]),
      ...(steps.some((step) => step.generatorLimited) ? ['LIMITED BY THE GENERATOR'] : []),
    ];
    console.log(
      [
        String(rate).padStart(10),
        Math.round(of((step) => step.deliveredPerSecond))
          .toLocaleString('en')
          .padStart(14),
        Math.round(of((step) => step.deliveredPerCpuSecond))
          .toLocaleString('en')
          .padStart(12),
        of((step) => step.framesPerEvent)
          .toFixed(3)
          .padStart(14),
        of((step) => step.report.latency.p50)
          .toFixed(0)
          .padStart(7),
        of((step) => step.report.latency.p99)
          .toFixed(0)
          .padStart(7),
        percent((step) => step.workerdShare).padStart(9),
        percent((step) => step.bridgeShare).padStart(8),
        percent((step) => step.report.cpuShare).padStart(6),
        of((step) => step.report.lagMs)
          .toFixed(0)
          .padStart(5),
        notes.length === 0 ? '' : `  ${notes.join(', ')}`,
      ].join(''),
    );
  }
}

function reportRatio(sockets: number, all: ReadonlyMap<Contender, readonly Climb[]>): void {
  const [ours = [], theirs = []] = all.values();
  const lastGood = (climb: Climb | undefined) =>
    climb?.findLast((step) => failureOf(step) === undefined);
  const ratios = ours.flatMap((climb, round) => {
    const [mine, other] = [lastGood(climb), lastGood(theirs[round])];
    return mine === undefined || other === undefined
      ? []
      : [mine.deliveredPerCpuSecond / other.deliveredPerCpuSecond];
  });
  const describe = (climbs: readonly Climb[]) => {
    const good = climbs.flatMap((climb) => lastGood(climb) ?? []);
    const of = (pick: (step: Step) => number) =>
      Math.round(median(good.map(pick))).toLocaleString('en');
    return (
      `${of((step) => step.rate)} events/s, ${of((step) => step.deliveredPerSecond)} delivered/s, ` +
      `${of((step) => step.deliveredPerCpuSecond)} per CPU-s, p99 ${of((step) => step.report.latency.p99)} ms`
    );
  };
  console.log(`\nat saturation with p99 of at most ${MAX_P99_MS} ms, ${sockets} sockets`);
  for (const [{ name }, climbs] of all) console.log(`  ${name.padEnd(19)}  ${describe(climbs)}`);
  const isOverRelay = [...all.keys()].some(({ overRelay }) => overRelay);
  const goal = isOverRelay ? '' : `; the goal is ${GOAL}`;
  console.log(
    ratios.length === 0
      ? '  no ratio: one of them has no good step'
      : `  ratio ${median(ratios).toFixed(2)} (${ratios.length} rounds${goal})`,
  );
}
