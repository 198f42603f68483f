/** One step: a scenario at one rate, and what it cost. */
import { residentMemory } from '../../support/resident-memory.ts';
import { clock } from '../../support/uniform-events.ts';
import type { ServerCore } from '../cores.ts';
import { cpuTime } from '../cpu-time.ts';
import type { Contender } from './contenders.ts';
import type { ContenderName } from './dialects.ts';
import type { Load, Loaded } from './load.ts';
import type { Scenario } from './scenarios.ts';

/** `ordinary` is a load that all contenders get; `climb` is on the way to the most that one can. */
export type StepKind = 'ordinary' | 'climb';

export interface Step {
  readonly name: ContenderName;
  readonly scenario: string;
  readonly round: number;
  readonly kind: StepKind;
  /** What is asked for, of deliveries a second. */
  readonly deliveries: number;
  readonly deliveredPerSecond: number;
  readonly deliveredPerCpuSecond: number;
  readonly framesPerEvent: number;
  readonly latency: { readonly p50: number; readonly p99: number };
  /** What each process took of the servers' core. */
  readonly cpu: Readonly<Record<string, number>>;
  /** What others took of it. */
  readonly foreignShare: number;
  readonly clientsShare: number;
  /** The memory of all processes of the contender after the step, in MB. */
  readonly memory: number;
  /** Why the step is not good, if it is not. */
  readonly failure: string | undefined;
  readonly ended: number;
}

export interface StepPlan {
  readonly scenario: Scenario;
  readonly round: number;
  readonly kind: StepKind;
  readonly deliveries: number;
  readonly rate: number;
  readonly seconds: number;
}

export const MAX_P99_MS = 250;
const LEAST_EVENTS = 20;
/** After the last event was to be produced. */
const DEADLINE_MS = 2_500;

export async function runStep(
  contender: Contender,
  load: Load,
  core: ServerCore,
  plan: StepPlan,
): Promise<Step> {
  const { scenario, rate, seconds } = plan;
  const { symbols } = scenario;
  const count = Math.max(LEAST_EVENTS, 2 * symbols, Math.round(rate * seconds));
  await load.begin();
  const before = { cpu: cpuTimes(contender), core: core.busyMs(), at: clock() };
  const loaded = await load.run(symbols, rate, count, DEADLINE_MS);
  const after = { cpu: cpuTimes(contender), core: core.busyMs(), at: clock() };
  const elapsed = after.at - before.at;
  const cpu = Object.fromEntries(
    Object.entries(after.cpu).map(([name, us]) => [
      name,
      (us - (before.cpu[name] ?? 0)) / 1000 / elapsed,
    ]),
  );
  const share = Object.values(cpu).reduce((sum, part) => sum + part, 0);
  return {
    name: contender.name,
    scenario: scenario.id,
    round: plan.round,
    kind: plan.kind,
    deliveries: plan.deliveries,
    deliveredPerSecond: (loaded.delivered / loaded.took) * 1000,
    deliveredPerCpuSecond: (loaded.delivered / (share * elapsed)) * 1000,
    framesPerEvent: loaded.frames / loaded.delivered,
    latency: loaded.latency,
    cpu,
    foreignShare: (after.core - before.core) / elapsed - share,
    clientsShare: loaded.cpuShare,
    memory: memoryOf(contender),
    failure: failureOf(loaded),
    ended: Object.keys(loaded.ended).length,
  };
}

/** In MB. */
export function memoryOf({ processes }: Contender): number {
  return Object.values(processes).reduce((sum, pid) => sum + residentMemory(pid), 0);
}

/** What went wrong with a load, latency apart; undefined for nothing. */
export function lossOf(loaded: Loaded): string | undefined {
  const { missing, leftOut, repeated, ended, isLate } = loaded;
  if (Object.keys(ended).length > 0) return `sockets closed: ${JSON.stringify(ended)}`;
  if (repeated > 0) return `${repeated} events twice`;
  if (leftOut > 0) return `${leftOut} events left out`;
  if (missing > 0) return `${missing} events not there in time`;
  return isLate ? 'the producer did not hold the rate' : undefined;
}

function failureOf(loaded: Loaded): string | undefined {
  const { p99 } = loaded.latency;
  return lossOf(loaded) ?? (p99 > MAX_P99_MS ? `p99 ${Math.round(p99)} ms` : undefined);
}

/** µs, by process. */
function cpuTimes({ processes }: Contender): Record<string, number> {
  return Object.fromEntries(Object.entries(processes).map(([name, pid]) => [name, cpuTime(pid)]));
}
