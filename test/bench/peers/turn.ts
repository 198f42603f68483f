/**
 * A contender's turn: alone on the servers' core, through all scenarios. In each it gets the ordinary
 * loads that all get, and then it climbs: the load doubles until a step is not good, twice, and a last
 * step is half-way to that.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ServerCore } from '../cores.ts';
import type { Clients } from './clients.ts';
import type { Contender } from './contenders.ts';
import type { Load } from './load.ts';
import { rateOf, type Scenario } from './scenarios.ts';
import { lossOf, memoryOf, runStep, type Step, type StepKind } from './step.ts';

export interface TurnPlan {
  readonly scenarios: readonly Scenario[];
  readonly round: number;
  readonly seconds: number;
  /** Deliveries a second, of the steps that all contenders get. */
  readonly ordinary: readonly number[];
  /** The most deliveries a second to which a climb goes. */
  readonly most: number;
}

/** What a contender's sockets take of memory before they are sent anything. */
export interface Rest {
  readonly name: string;
  readonly scenario: string;
  readonly kilobytesPerSocket: number;
}

export interface TurnObserver {
  step(step: Step): void;
  rest(rest: Rest): void;
}

const WARM_UP = { sockets: 50, rate: 400, verified: 40, events: 1_200, deadlineMs: 10_000 };
const CLIMB_FACTOR = 2;
/** Until a contender that was behind has sent what it still had, in ms. */
const DRAIN_MS = 15_000;
const SETTLE_MS = 300;

export class Turn {
  readonly #contender: Contender;
  readonly #clients: Clients;
  readonly #load: Load;
  readonly #core: ServerCore;
  readonly #plan: TurnPlan;
  readonly #observer: TurnObserver;

  constructor(
    parts: { contender: Contender; clients: Clients; load: Load; core: ServerCore },
    plan: TurnPlan,
    observer: TurnObserver,
  ) {
    this.#contender = parts.contender;
    this.#clients = parts.clients;
    this.#load = parts.load;
    this.#core = parts.core;
    this.#plan = plan;
    this.#observer = observer;
  }

  async run(): Promise<void> {
    await this.#warmUp();
    for (const scenario of this.#plan.scenarios) {
      const before = memoryOf(this.#contender);
      await this.#join(scenario.subscriptions);
      await sleep(SETTLE_MS);
      const { length } = scenario.subscriptions;
      const kilobytesPerSocket = ((memoryOf(this.#contender) - before) * 1024) / length;
      const { name } = this.#contender;
      this.#observer.rest({ name, scenario: scenario.id, kilobytesPerSocket });
      await this.#measure(scenario);
      await this.#clients.leave();
      await sleep(SETTLE_MS);
    }
  }

  /** Everything that compiles as it runs has done so before anything is measured. Frames are verified. */
  async #warmUp(): Promise<void> {
    const { sockets, rate, verified, events, deadlineMs } = WARM_UP;
    await this.#join(Array.from({ length: sockets }, () => [0]));
    for (const [isVerified, count] of [
      [true, verified],
      [false, events],
    ] as const) {
      await this.#load.begin(isVerified);
      const loss = lossOf(await this.#load.run(1, rate, count, deadlineMs));
      if (loss !== undefined) throw new Error(`${this.#contender.name}, warming up: ${loss}`);
    }
    await this.#clients.leave();
    await sleep(SETTLE_MS);
  }

  async #measure(scenario: Scenario): Promise<void> {
    const { ordinary, most } = this.#plan;
    let best = 0;
    for (const deliveries of ordinary) {
      if (await this.#isGood(scenario, 'ordinary', deliveries)) best = deliveries;
    }
    if (best < Math.max(...ordinary)) return;
    while (await this.#isGood(scenario, 'climb', best * CLIMB_FACTOR)) best *= CLIMB_FACTOR;
    if (best * CLIMB_FACTOR <= most) {
      await this.#isGood(scenario, 'climb', best * Math.sqrt(CLIMB_FACTOR));
    }
  }

  /** A step that fails is tried once more, because that may be the machine's doing. */
  async #isGood(scenario: Scenario, kind: StepKind, deliveries: number): Promise<boolean> {
    if (deliveries > this.#plan.most) return false;
    return (
      (await this.#step(scenario, kind, deliveries)) ||
      (await this.#step(scenario, kind, deliveries))
    );
  }

  async #step(scenario: Scenario, kind: StepKind, deliveries: number): Promise<boolean> {
    const { round, seconds } = this.#plan;
    const rate = rateOf(scenario, deliveries);
    const step = await runStep(this.#contender, this.#load, this.#core, {
      scenario,
      round,
      kind,
      deliveries,
      rate,
      seconds,
    });
    this.#observer.step(step);
    if (step.failure === undefined) return true;
    const { missing } = await this.#load.reach(DRAIN_MS);
    if (missing > 0 || step.ended > 0) await this.#join(scenario.subscriptions);
    return false;
  }

  #join(subscriptions: Scenario['subscriptions']): Promise<void> {
    const { name, url } = this.#contender;
    return this.#clients.join({ name, url, subscriptions });
  }
}
