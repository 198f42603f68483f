/**
 * Keeps one part of the stack running: when it ends by itself, it is launched again, after a pause
 * that grows while it keeps ending.
 */
import { type BackoffBounds, backoffMs, type Pause, pause } from '../../shared/backoff.ts';

/** A part of the stack that runs. */
export interface Running {
  /** How it ended, once it has. */
  readonly exited: Promise<string>;
  stop(): Promise<void>;
}

export interface SupervisedOptions<Part extends Running> {
  readonly name: string;
  /** Launches the part; gives up when `signal` aborts. */
  readonly launch: (signal: AbortSignal) => Promise<Part>;
  readonly log: (line: string) => void;
  readonly pause?: Pause;
  readonly random?: () => number;
  readonly now?: () => number;
}

/** A single crash is mended at once; a part that cannot run is tried every few seconds. */
const BACKOFF: BackoffBounds = { baseMs: 200, capMs: 5000 };
/** A part that ran for so long had started well. */
const STEADY_MS = 10_000;

export class Supervised<Part extends Running> {
  readonly #options: SupervisedOptions<Part>;
  readonly #stopping = new AbortController();
  readonly #watching: Promise<void>;
  #part: Part | undefined;

  private constructor(first: Part, options: SupervisedOptions<Part>) {
    this.#options = options;
    this.#part = first;
    this.#watching = this.#watch(first);
  }

  /** Launches the part for the first time; that failure is the caller's, later ones are logged. */
  static async start<Part extends Running>(
    options: SupervisedOptions<Part>,
    signal: AbortSignal,
  ): Promise<Supervised<Part>> {
    return new Supervised(await options.launch(signal), options);
  }

  /** The part as it runs now; undefined while it is down. */
  get part(): Part | undefined {
    return this.#part;
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#part?.stop();
    await this.#watching;
  }

  async #watch(first: Part): Promise<void> {
    const { name, log, now = Date.now } = this.#options;
    const { signal } = this.#stopping;
    let failures = 0;
    for (let part: Part | undefined = first; part !== undefined; ) {
      const startedAt = now();
      const how = await part.exited;
      this.#part = undefined;
      if (signal.aborted) return;
      failures = now() - startedAt > STEADY_MS ? 0 : failures + 1;
      log(`${name} ended (${how}); starting it again`);
      part = await this.#relaunch(failures);
    }
  }

  async #relaunch(failuresSoFar: number): Promise<Part | undefined> {
    const { name, launch, log, pause: wait = pause, random } = this.#options;
    const { signal } = this.#stopping;
    for (let failures = failuresSoFar; ; failures++) {
      await wait(backoffMs(failures, BACKOFF, random), signal);
      if (signal.aborted) return undefined;
      try {
        const part = await launch(signal);
        this.#part = part;
        // A stop that came during the launch found nothing to stop.
        if (signal.aborted) await part.stop();
        else log(`${name} runs again`);
        return part;
      } catch (error) {
        if (signal.aborted) return undefined;
        log(`${name} did not start: ${error instanceof Error ? error.message : String(error)}`);
      }
    }
  }
}
