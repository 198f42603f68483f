/**
 * A mirror's way to the object that it follows. It asks to be followed when the mirror needs what it
 * does not have, and never otherwise: while nobody needs more than what is pushed, no call is made.
 *
 * Each call has a generation, greater than all before it. So the upstream knows which of two calls is
 * the newer one, whatever order they arrive in, and the mirror knows which pushes it has asked for.
 * There is no call to leave: a mirror that is not needed says so when it is pushed the next time.
 *
 * What is saved says of an upstream only if that one is sure to know the mirror. So it is saved in the
 * very turn that makes it unsure: a new call, or an answer that the mirror is not needed.
 */
import { unreachable } from '../../protocol/unreachable.ts';
import type { Step } from './branches.ts';
import { Call, type CallPorts } from './calls/call.ts';
import type { CarriedLog, FollowAnswer, Objects } from './calls/objects.ts';
import type { SavedChannel } from './rows.ts';

/** The deepest level that is searched: with 32 branches to each object there are never so many levels. */
const MOST_LEVELS = 6;

/** How long it waits before it searches another way, when all on its way are full, in ms. */
const NEXT_SEARCH = 1_000;
/** How long it waits when its upstream is behind it, in ms. */
const BEHIND_WAIT = 1_000;

/** How long those who wait for the log are patient, in ms. */
const PATIENCE = 10_000;

const FIRST_STEP: Step = { level: 0, round: 0 };

export interface UpstreamPorts extends CallPorts {
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
  readonly unavailable: (now: number) => void;
  /** What has to be known after a sleep has changed. */
  readonly changed: (now: number) => void;
  /** It is no follower any more, as far as it knows. */
  readonly left: (now: number) => void;
}

export class Upstream {
  readonly #ports: UpstreamPorts;
  readonly #call: Call;
  #generation: number;
  /** Whom it follows, or was last asked; undefined when nobody was. */
  #name: string | undefined;
  /** Whether that one has said so: then it pushes whatever is new. */
  #isFollower: boolean;
  #step: Step = FIRST_STEP;
  /** Whether something is needed that was not asked for. */
  #isNeeded = false;
  #neededSince = 0;
  /** Whether the upstream will push the whole log when it can. */
  #awaitsPush = false;
  /** When those who wait for that push are refused, because it does not come soon, Unix ms. */
  #patientUntil = Number.POSITIVE_INFINITY;

  /** @param isSure whether what was saved is so; a crash may have come between. */
  constructor(
    ports: UpstreamPorts,
    { generation, upstream, failures }: Partial<SavedChannel>,
    isSure = true,
  ) {
    this.#ports = ports;
    this.#generation = generation ?? 0;
    this.#name = upstream;
    this.#isFollower = isSure && upstream !== undefined;
    const what = { call: 'follow', object: ports.object, room: ports.room };
    this.#call = new Call(ports, what, failures);
  }

  /** What is saved of it. */
  get saved(): Pick<SavedChannel, 'generation' | 'upstream'> {
    return {
      generation: this.#generation,
      upstream: this.#isFollower ? this.#name : undefined,
    };
  }

  /** Whether it is pushed whatever is new. */
  get isFollower(): boolean {
    return this.#isFollower;
  }

  /** Whether it follows nobody, and asks nobody. */
  get isIdle(): boolean {
    return this.#name === undefined && !this.#isNeeded;
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
    if (this.#awaitsPush) return this.#patientUntil;
    const waits = !this.#isNeeded || this.#call.waitsForAlarm(now);
    return waits ? Number.POSITIVE_INFINITY : this.#call.notBefore;
  }

  /** When the alarm is to go off, because the upstream could not be reached for long, Unix ms. */
  alarmAt(now: number): number {
    const waits = this.#isNeeded && !this.#call.isInFlight && this.#call.waitsForAlarm(now);
    return waits ? Math.max(now, this.#call.notBefore) : Number.POSITIVE_INFINITY;
  }

  /** Whether a push of this object and generation is one that was asked for. */
  isPresent(upstream: string, generation: number): boolean {
    return upstream === this.#name && generation === this.#generation;
  }

  /** The mirror needs all that is kept of the room. */
  fill(now: number): void {
    if (this.#call.isInFlight || this.#awaitsPush) return;
    if (!this.#isNeeded) this.#neededSince = now;
    this.#isNeeded = true;
  }

  /** Whether nobody is asked soon, after many failures, or a push was waited for in vain. */
  isUnreachable(now: number): boolean {
    if (this.#awaitsPush) return this.#patientUntil === Number.POSITIVE_INFINITY;
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
    // An answer that is on its way would say what is no longer so.
    this.#call.giveUp();
    this.#name = undefined;
    this.#isFollower = false;
    this.#step = FIRST_STEP;
    this.noteFilled();
    this.#ports.left(now);
  }

  /** What the upstream gave was of no use, because it is behind. */
  askAgain(now: number): void {
    this.#awaitsPush = false;
    this.#isNeeded = true;
    this.#call.holdUntil(now + BEHIND_WAIT);
  }

  run(now: number): void {
    this.#call.run(now);
    if (this.#awaitsPush && this.#patientUntil <= now) {
      this.#patientUntil = Number.POSITIVE_INFINITY;
      this.#ports.unavailable(now);
    }
    // Two objects that call each other back and forth would reach the platform's limit of depth.
    const { answers } = this.#ports.present;
    if (answers === 'push' || answers === 'either') return;
    if (!this.#isNeeded || this.#call.isInFlight || this.#call.notBefore > now) return;
    if (this.#call.waitsForAlarm(now)) return;
    if (this.#ports.isWanted()) this.#ask(now);
    else if (this.#isFollower) this.#isNeeded = false;
    else this.leave(now);
  }

  #ask(now: number): void {
    const { present, room, object, upstreamAt, follow, changed, left } = this.#ports;
    const upstream = this.#name ?? upstreamAt(this.#step);
    // By the time it is greater than all that were forgotten, too.
    const generation = Math.max(this.#generation + 1, now);
    this.#name = upstream;
    this.#generation = generation;
    this.#isNeeded = false;
    // Until the answer comes, an older push may end what was, so a crash must not go by that.
    if (this.#isFollower) {
      this.#isFollower = false;
      left(now);
    }
    changed(now);
    const call = { room, follower: object, generation, depth: present.depth + 1 };
    this.#call.begin((signal) => follow(upstream, call, signal), now, {
      answered: (answer, later) => this.#answered(answer, later),
      failed: (later) => {
        this.#isNeeded = true;
        changed(later);
        if (later - this.#neededSince >= PATIENCE) this.#ports.unavailable(later);
      },
    });
  }

  #answered(answer: FollowAnswer, now: number): void {
    switch (answer.kind) {
      case 'followed':
        this.#step = FIRST_STEP;
        this.#isFollower = true;
        this.#ports.changed(now);
        if (answer.log !== undefined) {
          this.#ports.filled(answer.log, now);
          return;
        }
        this.#awaitsPush = true;
        this.#patientUntil = now + PATIENCE;
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
