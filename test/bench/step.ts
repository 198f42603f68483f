/** One step of a load: so many events at a rate, through a path, to a crowd. */
import type { Crowd, CrowdReport } from '../support/crowd.ts';
import { clock, type UniformEvents } from '../support/uniform-events.ts';
import { cpuTime } from './cpu-time.ts';
import { isLate, type Path, produceSteadily } from './path.ts';

/** Above this share of its core the generator may be what limits. */
const GENERATOR_LIMIT = 0.7;

export interface Load {
  readonly rate: number;
  readonly seconds: number;
  /** At least so many events, however low the rate. */
  readonly leastEvents: number;
  readonly deadlineMs: number;
}

export interface Step {
  readonly rate: number;
  /** How many events were produced. */
  readonly count: number;
  /** Events over all sockets, from the first event produced to the last received. */
  readonly deliveredPerSecond: number;
  readonly deliveredPerCpuSecond: number;
  /** The share of one core that workerd used. */
  readonly workerdShare: number;
  readonly bridgeShare: number;
  readonly framesPerEvent: number;
  readonly report: CrowdReport;
  /** Whether the generator may be what limits. */
  readonly generatorLimited: boolean;
  /** What went wrong, if anything. */
  readonly loss: string | undefined;
}

/** @param head of the room, before. */
export async function runStep(
  path: Path,
  crowd: Crowd,
  events: UniformEvents,
  head: number,
  { rate, seconds, leastEvents, deadlineMs }: Load,
): Promise<Step> {
  const count = Math.max(leastEvents, Math.round(rate * seconds));
  await crowd.begin();
  const cpuBefore = { workerd: cpuTime(path.workerd), bridge: cpuTime(path.bridge) };
  const startedAt = clock();
  const producing = produceSteadily(path.producer, events, { rate, count });
  const report = await crowd.reach(head + count, (count / rate) * 1000 + deadlineMs);
  const workerd = cpuTime(path.workerd) - cpuBefore.workerd;
  const bridge = cpuTime(path.bridge) - cpuBefore.bridge;
  const producedIn = await producing;
  const elapsed = report.reachedAt - startedAt;
  return {
    rate,
    count,
    deliveredPerSecond: (report.events / elapsed) * 1000,
    deliveredPerCpuSecond: (report.events / workerd) * 1_000_000,
    workerdShare: workerd / 1000 / elapsed,
    bridgeShare: bridge / 1000 / elapsed,
    framesPerEvent: report.frames / report.events,
    report,
    generatorLimited: report.cpuShare > GENERATOR_LIMIT,
    loss: lossOf(report, isLate(producedIn, { rate, count })),
  };
}

function lossOf(report: CrowdReport, wasLate: boolean): string | undefined {
  if (report.faultCount > 0) return `${report.faultCount} faults: ${report.faults.join('; ')}`;
  if (report.missing > 0) return `${report.missing} sockets do not have everything`;
  if (report.conflated > 0) return `${report.conflated} frames conflated`;
  return wasLate ? 'the producer did not hold the rate' : undefined;
}
