/**
 * The network between objects. A call is under way for a while, and so is its answer; so they overtake
 * each other. Some calls are lost, some are obeyed though nobody hears the answer, some are obeyed
 * twice, some take very long.
 */
import { CALL_DEADLINE } from '../../../worker/room/follow/calls/call.ts';
import type {
  FollowAnswer,
  FollowCall,
  PushAnswer,
  PushCall,
} from '../../../worker/room/follow/calls/objects.ts';
import type { Ending } from './memory.ts';
import { Observations } from './observations.ts';
import type { SimulatedObject, TurnKind } from './simulated-object.ts';
import type { World } from './world.ts';

const LATENCY = [1, 300] as const;
const LATE = [CALL_DEADLINE - 1_000, 4 * CALL_DEADLINE] as const;
/** After that the platform ends a call that has no answer, in ms. */
const ENDED_AFTER = 900_000;

export type Say =
  | { readonly kind: 'follow'; readonly call: FollowCall }
  | { readonly kind: 'push'; readonly call: PushCall };
export type Answer = FollowAnswer | PushAnswer;

/** The turn in which a call was made. */
export interface Cause {
  readonly kind: TurnKind;
  readonly wokeAfter: Ending;
  /** Whether the object woke in it. */
  readonly isFirst: boolean;
}

export interface Outgoing {
  readonly from: SimulatedObject;
  readonly to: string;
  readonly say: Say;
  readonly depth: number;
  /** Unix ms. */
  readonly madeAt: number;
  readonly cause: Cause;
  /** Settles the caller's promise, in a turn of the caller's, unless the caller is lost by then. */
  readonly settle: (settlement: Settlement<Answer>) => Promise<void>;
}

export type Settlement<Given> = { readonly answer: Given } | { readonly error: Error };

export class Network {
  /** Whether calls are lost, late, or obeyed twice. */
  isFaulty = true;
  /** Calls that were sent, ever. */
  calls = 0;
  readonly #world: World;
  readonly #observations: Observations;

  constructor(world: World) {
    this.#world = world;
    this.#observations = new Observations(world);
  }

  send(outgoing: Outgoing): void {
    const { random, coverage } = this.#world;
    this.calls++;
    const { from, to, say, depth } = outgoing;
    this.#world.note(() => `${from.name} → ${to} at depth ${depth}: ${say.kind} ${describe(say)}`);
    this.#observations.called(outgoing);
    const there = random.between(...LATENCY);
    const fate = this.isFaulty ? random.below(1_000) : 1_000;
    if (fate < 10) {
      coverage.add('calls lost');
      this.#failLate(outgoing);
    } else if (fate < 20) {
      coverage.add('answers lost');
      this.#plan(there, () => this.#obey(outgoing, () => this.#failLate(outgoing)));
    } else if (fate < 30) {
      coverage.add('calls obeyed twice');
      this.#arrive(outgoing, there);
      this.#plan(there + random.between(...LATENCY), () => this.#obey(outgoing, () => {}));
    } else if (fate < 35) {
      coverage.add('overloaded');
      this.#fail(outgoing, there, { overloaded: true, retryable: random.chance(0.5) });
    } else if (fate < 45) {
      this.#arrive(outgoing, random.between(...LATE));
    } else if (fate < 55) {
      this.#plan(there, () =>
        this.#obey(outgoing, (answer) => this.#answer(outgoing, answer, LATE)),
      );
    } else {
      this.#arrive(outgoing, there);
    }
  }

  /** The caller waits no more. The platform ends the call, unless the answer overtakes that. */
  giveUp(outgoing: Outgoing): void {
    const { random } = this.#world;
    if (random.chance(0.7)) this.#fail(outgoing, random.between(0, 50), {});
  }

  #arrive(outgoing: Outgoing, after: number): void {
    this.#plan(after, () =>
      this.#obey(outgoing, (answer) => this.#answer(outgoing, answer, LATENCY)),
    );
  }

  /** @param answered what becomes of the answer; a callee that was lost gives none. */
  #obey(outgoing: Outgoing, answered: (answer: Answer) => void): void {
    const { to, say, depth } = outgoing;
    const { random, coverage } = this.#world;
    const callee = this.#world.object(to);
    if (this.isFaulty && random.chance(0.003)) callee.crash();
    if (random.chance(0.02)) callee.sleep();
    const answer = callee.answer(say, depth);
    if (answer !== undefined) {
      this.#observations.obeyed(say, answer);
      answered(answer);
      return;
    }
    coverage.add('remote errors');
    if (random.chance(0.5)) this.#failLate(outgoing);
    else this.#fail(outgoing, random.between(...LATENCY), { remote: true, retryable: true });
  }

  #answer(outgoing: Outgoing, answer: Answer, latency: readonly [number, number]): void {
    const { random, coverage, now } = this.#world;
    const { from, to, say, madeAt } = outgoing;
    this.#plan(random.between(...latency), () => {
      const waited = now() - madeAt;
      if (waited > CALL_DEADLINE) coverage.add('late answers ignored');
      this.#world.note(() => `${from.name} ← ${to}: ${say.kind} ${JSON.stringify(answer)}`);
      return outgoing.settle({ answer });
    });
  }

  /** The caller hears nothing, for long, and then maybe that it failed. */
  #failLate(outgoing: Outgoing): void {
    const { random } = this.#world;
    const after = random.chance(0.5) ? random.between(100, 30_000) : ENDED_AFTER;
    const flags = { retryable: random.chance(0.5), remote: random.chance(0.5) };
    this.#fail(outgoing, after, { ...flags, overloaded: random.chance(0.2) });
  }

  #fail(outgoing: Outgoing, after: number, flags: object): void {
    const error = Object.assign(new Error('the call failed'), flags);
    this.#plan(after, () => outgoing.settle({ error }));
  }

  #plan(after: number, act: () => Promise<void> | void): void {
    this.#world.agenda.plan(after, act);
  }
}

function describe(say: Say): string {
  if (say.kind === 'follow') return `${say.call.generation}`;
  const { generation, content } = say.call;
  if (content.kind === 'log') return `${generation} log ${content.log.epoch}:${content.log.head}`;
  const seqs = content.entries.split('\u001e').map((entry) => Number.parseInt(entry, 10));
  return `${generation} (${content.epoch}:${content.after}, ${seqs}]`;
}
