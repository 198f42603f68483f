/**
 * One call to another object, of which one is in flight at a time. It has a deadline. After that its
 * answer does not count any more, though the call may still be obeyed there. After a failure the next
 * call waits: by a timer up to ten seconds, and by the alarm beyond that, so that an object which cannot
 * reach another one may sleep meanwhile.
 */
import { platformErrorOf } from '../../../platform-error.ts';
import { MOST_DEPTH, type Turn } from '../../turn.ts';

/** How long an answer is waited for, in ms. */
export const CALL_DEADLINE = 10_000;
/** The first wait after a failure, in ms. It doubles with each failure in a row. */
const FIRST_WAIT = 250;
/** The longest wait that a timer is kept for, in ms. A longer one is the alarm's. */
const LONGEST_TIMER = 10_000;
/** The longest wait, in ms. */
const LONGEST_WAIT = 900_000;
/** An object that is overloaded is not asked again before this, in ms. */
const OVERLOADED_WAIT = 5_000;
/** An object whose own code has failed is not asked again before this, in ms. */
const REMOTE_WAIT = 1_000;

export interface CallPorts {
  readonly present: Turn;
  /** Begins a turn, since whatever is awaited ends the present one. */
  readonly turn: (act: (now: number) => void, depth: number) => void;
  /** A number from 0 to 1, so that those who failed together do not come back together. */
  readonly random: () => number;
  /** Tells the operator. */
  readonly warn: (event: Readonly<Record<string, unknown>>) => void;
}

/** What becomes of a call. */
export interface Outcomes<Answer> {
  readonly answered: (answer: Answer, now: number) => void;
  readonly failed?: (now: number) => void;
}

export class Call {
  readonly #ports: CallPorts;
  readonly #what: Readonly<Record<string, unknown>>;
  /** Numbers the calls, so that a late answer is known by its number. */
  #number = 0;
  #deadline = Number.POSITIVE_INFINITY;
  #failures: number;
  #notBefore = Number.NEGATIVE_INFINITY;
  #failed: (now: number) => void = () => {};
  #abort = new AbortController();

  /**
   * @param what names the call in the log.
   * @param failures how many calls had failed in a row before the object slept.
   */
  constructor(ports: CallPorts, what: Readonly<Record<string, unknown>>, failures = 0) {
    this.#ports = ports;
    this.#what = what;
    this.#failures = failures;
  }

  /** How many calls have failed in a row. */
  get failures(): number {
    return this.#failures;
  }

  get isInFlight(): boolean {
    return this.#deadline !== Number.POSITIVE_INFINITY;
  }

  /** When the call in flight is given up, Unix ms; infinite when there is none. */
  get deadline(): number {
    return this.#deadline;
  }

  /** When the next call may be made, Unix ms. */
  get notBefore(): number {
    return this.#notBefore;
  }

  /**
   * Whether the alarm brings the next call, because no timer is kept for so long a wait, or because too
   * many calls led to this turn.
   */
  waitsForAlarm(now: number): boolean {
    const isDeep = this.#ports.present.depth >= MOST_DEPTH;
    return isDeep || this.#notBefore - now > LONGEST_TIMER;
  }

  begin<Answer>(
    call: (signal: AbortSignal) => Promise<Answer>,
    now: number,
    { answered, failed = () => {} }: Outcomes<Answer>,
  ): void {
    const number = ++this.#number;
    this.#failed = failed;
    this.#abort = new AbortController();
    this.#deadline = now + CALL_DEADLINE;
    const { depth } = this.#ports.present;
    const settle = (act: (at: number) => void) =>
      this.#ports.turn((at) => {
        if (number !== this.#number) return;
        this.#deadline = Number.POSITIVE_INFINITY;
        act(at);
      }, depth);
    call(this.#abort.signal).then(
      (answer) =>
        settle((at) => {
          this.#failures = 0;
          this.#notBefore = at;
          answered(answer, at);
        }),
      (error: unknown) => settle((at) => this.#fail(error, at)),
    );
  }

  /** Gives the call in flight up if its deadline has passed. */
  run(now: number): void {
    if (now < this.#deadline) return;
    this.giveUp();
    this.#fail(new Error(`no answer in ${CALL_DEADLINE} ms`), now);
  }

  /** The answer to the call in flight does not count any more. */
  giveUp(): void {
    this.#number++;
    // Without a reason, the platform would call its error retryable.
    this.#abort.abort(new Error('given up'));
    this.#deadline = Number.POSITIVE_INFINITY;
  }

  /** Nothing is made before `at`, Unix ms. */
  holdUntil(at: number): void {
    this.#notBefore = Math.max(this.#notBefore, at);
  }

  #fail(error: unknown, now: number): void {
    const { overloaded, retryable, remote } = platformErrorOf(error);
    this.#failures++;
    const longest = waitAfter(this.#failures);
    const wait = longest / 2 + (this.#ports.random() * longest) / 2;
    const least = Math.max(overloaded ? OVERLOADED_WAIT : 0, remote ? REMOTE_WAIT : 0);
    this.#notBefore = now + Math.max(wait, least);
    this.#failed(now);
    this.#ports.warn({
      event: 'object_call_failed',
      ...this.#what,
      failures: this.#failures,
      overloaded,
      retryable,
      remote,
      error: String(error),
    });
  }
}

function waitAfter(failures: number): number {
  return Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** Math.max(0, failures - 1));
}
