/**
 * A mirror's way to the object that it follows. It asks to be followed when the mirror needs what it
 * does not have, and never otherwise: while nobody needs more than what is pushed, no call is made.
 *
 * Each call has a generation, greater than all before it. So the upstream knows which of two calls is
 * the newer one, whatever order they arrive in, and the mirror knows which pushes it has asked for.
 * There is no call to leave: a mirror that is not needed says so when it is pushed the next time.
 */
import { unreachable } from '../../protocol/unreachable.ts';
import type { Turn } from '../turn.ts';
import type { Step } from './branches.ts';
import { Call, type CallPorts } from './call.ts';
import type { CarriedLog, FollowAnswer, Objects } from './calls.ts';
import type { SavedChannel } from './rows.ts';

/** So many levels, with 32 branches to each, are more than there can be objects. */
const MOST_LEVELS = 6;

/** How long it waits before it searches another way, when all on its way are full, in ms. */
const NEXT_SEARCH = 1_000;

/** How long those who wait for the log are patient, in ms. */
const PATIENCE = 10_000;

const FIRST_STEP: Step = { level: 0, round: 0 };

export interface UpstreamPorts extends CallPorts {
  readonly present: Turn;
  readonly room: string;
  /** The name of this object. */
  readonly object: string;
  /** The object to ask at a step of the search; a branch has one upstream. */
  readonly upstreamAt: (step: Step) => string;
  readonly follow: Objects['follow'];
  /** Whether anybody reads the room here. */
  readonly isWanted: () => boolean;
  readonly filled: (log: CarriedLog, now: number) => void;
  /** The log cannot be had now. It is asked for again, for as long as somebody wants it. */
  readonly unavailable: () => void;
  /** What has to be known after a sleep has changed. */
  readonly changed: (now: number) => void;
}

export class Upstream {
  readonly #ports: UpstreamPorts;
  readonly #call: Call;
  #generation: number;
  /** Whom it follows, or was last asked; undefined when nobody was. */
  #name: string | undefined;
  #step: Step = FIRST_STEP;
  /** Whether something is needed that was not asked for. */
  #isNeeded = false;
  #neededSince = 0;
  /** Whether the upstream will push the whole log when it has it. */
  #awaitsPush = false;

  constructor(ports: UpstreamPorts, { generation, upstream, failures }: Partial<SavedChannel>) {
    this.#ports = ports;
    this.#generation = generation ?? 0;
    this.#name = upstream;
    const what = { call: 'follow', object: ports.object, room: ports.room };
    this.#call = new Call(ports, what, failures);
  }

  /** What is saved of it. */
  get saved(): Pick<SavedChannel, 'generation' | 'upstream'> {
    return { generation: this.#generation, upstream: this.#name };
  }

  /** How many calls have failed in a row. */
  get failures(): number {
    return this.#call.failures;
  }

  /** Whether an answer is on its way that has all that the mirror needs. */
  get isAsking(): boolean {
    return this.#call.isInFlight;
  }

  /** When `run` is to be called next, Unix ms. */
  dueAt(now: number): number {
    if (this.#call.isInFlight) return this.#call.deadline;
    const waits = !this.#isNeeded || this.#call.waitsForAlarm(now);
    return waits ? Number.POSITIVE_INFINITY : this.#call.notBefore;
  }

  /** When the alarm is to go off, because the upstream could not be reached for long, Unix ms. */
  alarmAt(now: number): number {
    const waits = this.#isNeeded && !this.#call.isInFlight && this.#call.waitsForAlarm(now);
    return waits ? this.#call.notBefore : Number.POSITIVE_INFINITY;
  }

  /** Whether a push of this object and generation is one that was asked for. */
  isPresent(upstream: string, generation: number): boolean {
    return upstream === this.#name && generation === this.#generation;
  }

  /** Whether a push of this generation tells of a call that is not known here. */
  isBehind(generation: number): boolean {
    return this.#name === undefined || generation > this.#generation;
  }

  /** The mirror needs all that is kept of the room. */
  fill(now: number): void {
    if (this.#call.isInFlight || this.#awaitsPush) return;
    if (!this.#isNeeded) this.#neededSince = now;
    this.#isNeeded = true;
  }

  /** Whether nobody is asked soon, after many failures. */
  isUnreachable(now: number): boolean {
    return this.#isNeeded && this.#call.waitsForAlarm(now);
  }

  /** The mirror was filled by a push. */
  noteFilled(): void {
    this.#isNeeded = false;
    this.#awaitsPush = false;
  }

  /** The room is not served here any more. */
  end(): void {
    this.#call.giveUp();
    this.noteFilled();
  }

  /** Nobody needs the room any more. */
  leave(now: number): void {
    this.#name = undefined;
    this.#step = FIRST_STEP;
    this.noteFilled();
    this.#ports.changed(now);
  }

  run(now: number): void {
    this.#call.run(now);
    // Two objects that call each other back and forth would reach the platform's limit of depth.
    if (this.#ports.present.answers === 'push') return;
    if (!this.#isNeeded || this.#call.isInFlight || this.#call.notBefore > now) return;
    if (this.#ports.isWanted()) this.#ask(now);
    else this.#isNeeded = false;
  }

  #ask(now: number): void {
    const { room, object, upstreamAt, follow, changed } = this.#ports;
    const upstream = this.#name ?? upstreamAt(this.#step);
    const generation = this.#generation + 1;
    this.#name = upstream;
    this.#generation = generation;
    this.#isNeeded = false;
    changed(now);
    this.#call.begin(
      (signal) => follow(upstream, { room, follower: object, generation }, signal),
      now,
      {
        answered: (answer, later) => this.#answered(answer, later),
        failed: (later) => {
          this.#isNeeded = true;
          changed(later);
          if (later - this.#neededSince >= PATIENCE) this.#ports.unavailable();
        },
      },
    );
  }

  #answered(answer: FollowAnswer, now: number): void {
    switch (answer.kind) {
      case 'followed':
        this.#step = FIRST_STEP;
        if (answer.log === undefined) this.#awaitsPush = true;
        else this.#ports.filled(answer.log, now);
        return;
      case 'outdated':
        this.#generation = Math.max(this.#generation, answer.generation);
        this.#isNeeded = true;
        return;
      case 'full':
        this.#name = undefined;
        this.#isNeeded = true;
        this.#stepDown(now);
        return;
      default:
        unreachable(answer);
    }
  }

  #stepDown(now: number): void {
    const { level, round } = this.#step;
    if (level + 1 < MOST_LEVELS) {
      this.#step = { level: level + 1, round };
    } else {
      this.#step = { level: 0, round: round + 1 };
      this.#call.holdUntil(now + NEXT_SEARCH);
    }
  }
}
