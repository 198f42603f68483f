/**
 * An event service that waits for Kafka instead of failing. Events go in waves: all that have come
 * up to now, side by side, so that they share batches; the next wave when Kafka has this one. What
 * Kafka did not take comes again, before anything newer, so that no trade is missing from a user's
 * sums and none overtakes another. An event whose answer was lost may then be there twice.
 *
 * A user's trades and his portfolios come by different topics, between which Kafka keeps no order.
 * So they never share a wave: who reads his room sees, nearly always, first a trade, then what it
 * made of the portfolio.
 *
 * How much waits is bounded by who publishes: he asks for `room` first.
 */
import { type BackoffBounds, backoffMs, type Pause, pause } from '../../shared/backoff.ts';
import type { EventService } from './event-service.ts';

/** Of one wave: some hundred KB of events, a request or two. */
const MAX_WAVE = 500;
/** What may wait before who publishes must. */
const MAX_WAITING = 1_000;
/** Beside this the producer has its own retries. */
const BACKOFF: BackoffBounds = { baseMs: 500, capMs: 5_000 };

export interface PatientEventsOptions {
  readonly signal: AbortSignal;
  /** Whether an error condemns its event: that one is not tried again. */
  readonly isForGood: (error: unknown) => boolean;
  /** One line when an outage begins, one when it is over, and of refused events. */
  readonly log: (line: string) => void;
  readonly pause?: Pause;
}

interface Job {
  /** Whose account the event is of, and by which topic it tells of it. */
  readonly account?: { readonly user: string; readonly topic: 'trades' | 'portfolios' } | undefined;
  readonly send: () => Promise<unknown>;
  readonly settle: (error?: unknown) => void;
}

export class PatientEvents implements EventService {
  readonly #events: EventService;
  readonly #options: Required<PatientEventsOptions>;
  #waiting: Job[] = [];
  #running: Promise<void> | undefined;
  #roomMade: PromiseWithResolvers<void> | undefined;
  #isOut = false;
  #refused = 0;

  constructor(events: EventService, options: PatientEventsOptions) {
    this.#events = events;
    this.#options = { pause, ...options };
  }

  /** Resolves once connected, or when it is told to stop. */
  async initialize(): Promise<void> {
    const { signal, pause: wait } = this.#options;
    for (let failures = 0; !signal.aborted; failures++) {
      try {
        await this.#events.initialize();
        return;
      } catch (error) {
        this.#tellOutage(error);
        await wait(backoffMs(failures, BACKOFF), signal);
      }
    }
  }

  publishPriceUpdate(...args: Parameters<EventService['publishPriceUpdate']>): Promise<void> {
    return this.#add(() => this.#events.publishPriceUpdate(...args));
  }

  publishOrderBookUpdate(
    ...args: Parameters<EventService['publishOrderBookUpdate']>
  ): Promise<void> {
    return this.#add(() => this.#events.publishOrderBookUpdate(...args));
  }

  publishTradeNotification(
    ...args: Parameters<EventService['publishTradeNotification']>
  ): Promise<void> {
    const [, , user] = args;
    const account = user === undefined ? undefined : ({ user, topic: 'trades' } as const);
    return this.#add(() => this.#events.publishTradeNotification(...args), account);
  }

  publishPortfolioUpdate(
    ...args: Parameters<EventService['publishPortfolioUpdate']>
  ): Promise<void> {
    const [user] = args;
    const account = { user, topic: 'portfolios' } as const;
    return this.#add(() => this.#events.publishPortfolioUpdate(...args), account);
  }

  publishSystemAlert(...args: Parameters<EventService['publishSystemAlert']>): Promise<void> {
    return this.#add(() => this.#events.publishSystemAlert(...args));
  }

  /** How many events Kafka does not have yet. */
  get waiting(): number {
    return this.#waiting.length;
  }

  get hasRoom(): boolean {
    return this.#waiting.length < MAX_WAITING;
  }

  /** Resolves when a little more may be published. */
  async room(): Promise<void> {
    if (this.hasRoom) return;
    this.#roomMade ??= Promise.withResolvers();
    await this.#roomMade.promise;
  }

  /** Resolves when Kafka has all that waits or, told to stop, does not take it. */
  async idle(): Promise<void> {
    while (this.#running !== undefined) await this.#running;
  }

  async shutdown(): Promise<void> {
    await this.#events.shutdown();
  }

  #add(send: Job['send'], account?: Job['account']): Promise<void> {
    return new Promise((resolve, reject) => {
      const settle = (error?: unknown) => (error === undefined ? resolve() : reject(error));
      this.#waiting.push({ account, send, settle });
      this.#running ??= this.#run();
    });
  }

  async #run(): Promise<void> {
    const { signal, pause: wait } = this.#options;
    // What is published in the same turn of the event loop goes together.
    await Promise.resolve();
    for (let failures = 0; this.#waiting.length > 0; ) {
      const wave = firstWave(this.#waiting);
      const { again, error } = await this.#send(wave);
      this.#waiting.splice(0, wave.length, ...again);
      if (this.hasRoom) this.#makeRoom();
      if (again.length === 0) {
        failures = 0;
        this.#tellRecovery();
        continue;
      }
      this.#tellOutage(error);
      if (!signal.aborted) await wait(backoffMs(failures++, BACKOFF), signal);
      // Whoever stops us has waited long enough.
      if (signal.aborted) this.#giveUp(error);
    }
    this.#running = undefined;
  }

  /** What is to be sent again, and why. */
  async #send(wave: readonly Job[]): Promise<{ again: Job[]; error: unknown }> {
    const results = await Promise.allSettled(wave.map(async ({ send }) => send()));
    const again: Job[] = [];
    let error: unknown;
    for (const [index, job] of wave.entries()) {
      const result = results[index];
      if (result?.status !== 'rejected') job.settle();
      else if (this.#options.isForGood(result.reason)) {
        this.#countRefusal(result.reason);
        job.settle();
      } else {
        error ??= result.reason;
        again.push(job);
      }
    }
    return { again, error };
  }

  #giveUp(error: unknown): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const { settle } of waiting) settle(error);
    this.#makeRoom();
  }

  #makeRoom(): void {
    this.#roomMade?.resolve();
    this.#roomMade = undefined;
  }

  /** Told less and less often: what refuses one event may refuse them all. */
  #countRefusal(error: unknown): void {
    const count = ++this.#refused;
    if (!Number.isInteger(Math.log2(count))) return;
    this.#options.log(`${count} refused so far (${messageOf(error)})`);
  }

  #tellOutage(error: unknown): void {
    if (this.#isOut || this.#options.signal.aborted) return;
    this.#isOut = true;
    this.#options.log(`waits: Kafka takes no events (${messageOf(error)})`);
  }

  #tellRecovery(): void {
    if (!this.#isOut) return;
    this.#isOut = false;
    this.#options.log('goes on');
  }
}

function firstWave(waiting: readonly Job[]): Job[] {
  const topics = new Map<string, string>();
  const most = waiting.slice(0, MAX_WAVE);
  const end = most.findIndex(({ account }) => {
    if (account === undefined) return false;
    const topic = topics.get(account.user) ?? account.topic;
    topics.set(account.user, topic);
    return topic !== account.topic;
  });
  return end === -1 ? most : most.slice(0, end);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
