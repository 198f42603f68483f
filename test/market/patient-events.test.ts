/** The feed before a Kafka that stalls or fails: bounded, patient, and in order. */
import { describe, expect, test } from 'vitest';
import type { EventService } from '../../bridge/local/market/event-service.ts';
import { Feed, STEP_MS } from '../../bridge/local/market/feed.ts';
import { PatientEvents } from '../../bridge/local/market/patient-events.ts';
import { runFeed } from '../../bridge/local/market/run-feed.ts';
import { Auditor } from './auditor.ts';
import { type Published, Recorder } from './market-recorder.ts';

const turn = () => new Promise(setImmediate);

/** What the feed may have given away, beside a step's events: PatientEvents' bound. */
const MOST_WAITING = 1_000;
const MOST_UNANSWERED = 500;
const MOST_OF_A_STEP = 200;

/** A Kafka that takes, refuses or leaves unanswered, as the test likes; and a clock that it moves. */
class Kafka {
  mode: 'takes' | 'fails' | 'stalls' | 'refuses' = 'takes';
  time = 1_767_225_600_000;
  readonly taken: Published[] = [];
  readonly lines: string[] = [];
  readonly stop = new AbortController();
  outstanding = 0;
  mostOutstanding = 0;
  steps = 0;
  #answered = Promise.withResolvers<void>();

  /** Ends a stall. */
  answer(mode: 'takes' | 'fails'): void {
    this.mode = mode;
    this.#answered.resolve();
    this.#answered = Promise.withResolvers();
  }

  get events(): EventService {
    const recorder = new Recorder(
      (published) => this.taken.push(published),
      () => this.time,
    );
    const guarded =
      <Args extends unknown[]>(publish: (...args: Args) => Promise<unknown>) =>
      async (...args: Args) => {
        this.mostOutstanding = Math.max(this.mostOutstanding, ++this.outstanding);
        try {
          while (this.mode === 'stalls') await this.#answered.promise;
          if (this.mode === 'fails') throw new Error('no broker');
          if (this.mode === 'refuses') throw new RangeError('not this one');
          await publish(...args);
        } finally {
          this.outstanding--;
        }
      };
    return {
      initialize: async () => {
        if (this.mode === 'fails') throw new Error('no broker');
      },
      shutdown: async () => {},
      publishPriceUpdate: guarded(recorder.publishPriceUpdate),
      publishOrderBookUpdate: guarded(recorder.publishOrderBookUpdate),
      publishTradeNotification: guarded(recorder.publishTradeNotification),
      publishPortfolioUpdate: guarded(recorder.publishPortfolioUpdate),
      publishSystemAlert: guarded(recorder.publishSystemAlert),
    };
  }

  patient(): PatientEvents {
    return new PatientEvents(this.events, {
      signal: this.stop.signal,
      isForGood: (error) => error instanceof RangeError,
      log: (line) => this.lines.push(line),
      pause: async (ms, signal) => {
        const end = this.time + ms;
        while (this.time < end && !signal.aborted) await turn();
      },
    });
  }

  /** A feed at `speed` on this clock, until `stop`. */
  async run(speed: number, events: PatientEvents): Promise<void> {
    const feed = new Feed({ seed: 1, events, now: () => this.time });
    await feed.initialize();
    const step = () => {
      this.steps++;
      void feed.step();
    };
    await runFeed(
      {
        speed,
        step,
        hasRoom: () => events.hasRoom,
        room: () => events.room(),
        now: () => this.time,
        pause: async (ms) => {
          this.time += ms;
          await turn();
        },
      },
      this.stop.signal,
    );
  }

  /** Lets the clock run for `ms`, waiting feed or not. */
  async pass(ms: number): Promise<void> {
    const end = this.time + ms;
    while (this.time < end) {
      const before = this.time;
      await turn();
      if (this.time === before) this.time += 10;
    }
  }
}

const audit = (taken: readonly Published[]) => {
  const auditor = new Auditor();
  for (const published of taken) auditor.take(published);
  return auditor;
};

describe('at fifty times the speed', () => {
  test.each(['stalls', 'fails'] as const)(
    'while Kafka %s a bounded number waits, and the market goes on without a gap',
    async (mode) => {
      const kafka = new Kafka();
      const events = kafka.patient();
      const running = kafka.run(50, events);
      await kafka.pass(5_000);
      const before = kafka.taken.length;
      expect(before).toBeGreaterThan(5_000);
      const steps = kafka.steps;
      kafka.mode = mode;
      // As many steps as were due in that time would be 60,000.
      await kafka.pass(120_000);
      expect(kafka.taken).toHaveLength(before);
      expect(kafka.mostOutstanding).toBeLessThanOrEqual(MOST_UNANSWERED);
      expect(events.waiting).toBeLessThan(MOST_WAITING + MOST_OF_A_STEP);
      expect(kafka.steps - steps).toBeLessThan(1_000);
      const stalledAt = kafka.steps;
      kafka.answer('takes');
      // After a failure it looks again within five seconds.
      while (kafka.steps === stalledAt) await kafka.pass(1);
      await kafka.pass(1_000);
      // Not hurrying after: a second's steps, and the 250 ms that count as no stall.
      expect(kafka.steps - stalledAt).toBeGreaterThan(250);
      expect(kafka.steps - stalledAt).toBeLessThan((1_250 * 50) / STEP_MS + 10);
      kafka.stop.abort();
      await running;
      await events.idle();
      expect(kafka.taken.length).toBeGreaterThan(before);
      audit(kafka.taken);
      const told = ['waits: Kafka takes no events (no broker)', 'goes on'];
      expect(kafka.lines).toEqual(mode === 'fails' ? told : []);
    },
  );
});

test('the first connection is waited for, and told once', async () => {
  const kafka = new Kafka();
  kafka.mode = 'fails';
  const events = kafka.patient();
  const running = kafka.run(1, events);
  await kafka.pass(20_000);
  expect(kafka.lines).toEqual(['waits: Kafka takes no events (no broker)']);
  kafka.mode = 'takes';
  await kafka.pass(8_000);
  expect(kafka.taken.length).toBeGreaterThan(50);
  expect(kafka.lines).toEqual(['waits: Kafka takes no events (no broker)', 'goes on']);
  kafka.stop.abort();
  await running;
});

test('what is refused for good is counted, not tried again', async () => {
  const kafka = new Kafka();
  kafka.mode = 'refuses';
  const events = kafka.patient();
  for (let count = 0; count < 5; count++) await events.publishPriceUpdate('A', { price: 1 });
  expect(kafka.lines).toEqual([1, 2, 4].map((count) => `${count} refused so far (not this one)`));
  expect(kafka.taken).toEqual([]);
});

test('told to stop, it does not wait for a Kafka that is gone', async () => {
  const kafka = new Kafka();
  kafka.mode = 'fails';
  const events = kafka.patient();
  const published = expect(events.publishPriceUpdate('A', { price: 1 })).rejects.toThrow(
    'no broker',
  );
  await turn();
  kafka.stop.abort();
  await events.idle();
  await published;
});

test('a user’s portfolio is sent once Kafka has his trade, and his next trade after it', async () => {
  const unanswered: { what: string; answer: () => void }[] = [];
  const take = (what: string) =>
    new Promise<void>((answer) => {
      unanswered.push({ what, answer });
    });
  const events = new PatientEvents(
    {
      initialize: async () => {},
      shutdown: async () => {},
      publishPriceUpdate: (symbol) => take(`price of ${symbol}`),
      publishOrderBookUpdate: (symbol) => take(`book of ${symbol}`),
      publishTradeNotification: (_, { tradeId }) => take(`trade ${tradeId}`),
      publishPortfolioUpdate: (userId) => take(`portfolio of ${userId}`),
      publishSystemAlert: () => take('alert'),
    },
    { signal: new AbortController().signal, isForGood: () => false, log: () => {} },
  );
  const trade = (tradeId: string) => {
    const data = { tradeId, price: 1, amount: 1, side: 'buy' } as const;
    return events.publishTradeNotification('BTC-USDC', data, 'ann');
  };
  const all = Promise.all([
    trade('1'),
    events.publishPriceUpdate('BTC-USDC', { price: 1 }),
    events.publishPortfolioUpdate('ann', { totalValue: 1 }),
    events.publishPortfolioUpdate('bob', { totalValue: 1 }),
    trade('2'),
  ]);
  const waves: string[][] = [];
  for (let wave = 0; wave < 3; wave++) {
    await turn();
    waves.push(unanswered.map(({ what }) => what));
    for (const { answer } of unanswered.splice(0)) answer();
  }
  await all;
  expect(waves).toEqual([
    ['trade 1', 'price of BTC-USDC'],
    ['portfolio of ann', 'portfolio of bob'],
    ['trade 2'],
  ]);
});
