/** The results: for each scenario, the medians of the rounds by contender and load. */
import { median } from '../median.ts';
import type { ContenderName } from './dialects.ts';
import { SCENARIOS } from './scenarios.ts';
import { MAX_P99_MS, type Step } from './step.ts';
import type { Rest } from './turn.ts';

/** When the clients' core is busier than this, the clients may be what limits. */
const CLIENTS_LIMIT = 0.7;

export function tell(step: Step): void {
  const { latency, cpu } = step;
  const shares = Object.entries(cpu).map(([name, share]) => `${name} ${percent(share)}`);
  console.log(
    `${step.round} ${step.name.padEnd(10)} ${step.scenario.padEnd(5)}` +
      `${whole(step.deliveries).padStart(10)}/s  ${whole(step.deliveredPerCpuSecond)} per CPU-s, ` +
      `p50 ${latency.p50.toFixed(1)} p99 ${latency.p99.toFixed(1)} ms, ` +
      `${step.framesPerEvent.toFixed(3)} frames per event, ${step.memory.toFixed(0)} MB, ` +
      `${shares.join(', ')}, clients ${percent(step.clientsShare)}, ` +
      `others ${percent(step.foreignShare)}` +
      (step.failure === undefined ? '' : `  NOT GOOD: ${step.failure}`),
  );
}

export function report(steps: readonly Step[], rests: readonly Rest[]): void {
  for (const { id, title } of SCENARIOS) {
    const own = steps.filter(({ scenario }) => scenario === id);
    if (own.length === 0) continue;
    console.log(`\n${id}: ${title}`);
    console.log(
      '| | deliveries/s | p50/p99 ms | per server CPU-s | µs CPU per delivery | frames per event | MB |',
    );
    console.log('|---|---|---|---|---|---|---|');
    for (const [name, all] of Map.groupBy(own, (step) => step.name)) {
      const ordinary = all.filter(({ kind }) => kind === 'ordinary');
      for (const [deliveries, some] of Map.groupBy(ordinary, (step) => step.deliveries)) {
        row(name, whole(deliveries), lastTries(some));
      }
      row(name, 'most', mostOf(all));
      const perSocket = rests.filter((rest) => rest.name === name && rest.scenario === id);
      const kilobytes = median(perSocket.map(({ kilobytesPerSocket }) => kilobytesPerSocket));
      console.log(`| ${name} | at rest | | | | | ${kilobytes.toFixed(0)} KB a socket |`);
    }
  }
  const foreign = steps.map(({ foreignShare }) => foreignShare);
  console.log(
    `\nothers took ${percent(median(foreign))} (median) and ${percent(Math.max(...foreign))} (most) ` +
      `of the servers' core; the most is that with a p99 of at most ${MAX_P99_MS} ms`,
  );
}

function row(name: ContenderName, load: string, steps: readonly Step[]): void {
  if (steps.length === 0) return;
  const of = (pick: (step: Step) => number) => median(steps.map(pick));
  const perCpuSecond = of((step) => step.deliveredPerCpuSecond);
  const isAll = load !== 'most';
  const failed = steps.filter(({ failure }) => failure !== undefined).length;
  const notes = [
    ...(failed > 0 ? [`not good in ${failed} of ${steps.length}`] : []),
    ...(of((step) => step.clientsShare) > CLIENTS_LIMIT ? ['THE CLIENTS MAY LIMIT'] : []),
  ];
  const cells = [
    name,
    isAll ? load : `most: ${whole(of((step) => step.deliveredPerSecond))}`,
    `${of(({ latency }) => latency.p50).toFixed(1)}/${of(({ latency }) => latency.p99).toFixed(1)}`,
    whole(perCpuSecond),
    (1_000_000 / perCpuSecond).toFixed(1),
    of((step) => step.framesPerEvent).toFixed(3),
    of((step) => step.memory).toFixed(0),
  ];
  console.log(`| ${cells.join(' | ')} |${notes.length === 0 ? '' : `  ${notes.join(', ')}`}`);
}

/** The last try of each round, because one that failed was tried again. */
function lastTries(steps: readonly Step[]): Step[] {
  return [...Map.groupBy(steps, ({ round }) => round).values()].flatMap(
    (some) => some.at(-1) ?? [],
  );
}

/** The good step with the highest load, of each round. */
function mostOf(steps: readonly Step[]): Step[] {
  const good = steps.filter(({ failure }) => failure === undefined);
  return [...Map.groupBy(good, ({ round }) => round).values()].flatMap(
    (some) => some.toSorted((a, b) => a.deliveries - b.deliveries).at(-1) ?? [],
  );
}

function whole(value: number): string {
  return Math.round(value).toLocaleString('en');
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}
