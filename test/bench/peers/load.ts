/** Writes events to Kafka at a rate, symbol by symbol in turn, and waits until every client has them. */
import type { Producer } from 'kafkajs';
import { isLate, produceAtRate } from '../path.ts';
import type { Clients, ClientsReport } from './clients.ts';
import { CHANNELS_HEADER } from './contenders.ts';
import { MOST_SYMBOLS } from './scenarios.ts';
import { composeTagged, roomOf, symbolOf } from './tagged-events.ts';

export interface Loaded extends ClientsReport {
  /** Whether producing took longer than planned, so that the rate was another. */
  readonly isLate: boolean;
}

export class Load {
  readonly topic: string;
  readonly #producer: Producer;
  readonly #clients: Clients;
  /** The number of the next event, by symbol. */
  readonly #next = new Array<number>(MOST_SYMBOLS).fill(1);

  constructor(topic: string, producer: Producer, clients: Clients) {
    this.topic = topic;
    this.#producer = producer;
    this.#clients = clients;
  }

  /** The clients count from here on. */
  begin(isVerified = false): Promise<void> {
    return this.#clients.begin(this.#next, isVerified);
  }

  /** @param deadlineMs after the last event was to be produced. */
  async run(symbols: number, rate: number, count: number, deadlineMs: number): Promise<Loaded> {
    const numbers = [...this.#next];
    for (let event = 0; event < count; event++) bump(this.#next, event % symbols);
    const plannedMs = (count / rate) * 1000;
    let event = 0;
    const messages = (at: number) => {
      const symbol = event++ % symbols;
      return {
        key: symbolOf(symbol),
        value: composeTagged({ symbol, number: bump(numbers, symbol), at }),
        headers: { [CHANNELS_HEADER]: `${roomOf(symbol)},price_updates` },
      };
    };
    const [producedIn, report] = await Promise.all([
      produceAtRate(this.#producer, this.topic, messages, { rate, count }),
      this.reach(plannedMs + deadlineMs),
    ]);
    return { ...report, isLate: isLate(producedIn, { rate, count }) };
  }

  /** Resolves once every client has all that was produced, or at the deadline. */
  reach(deadlineMs: number): Promise<ClientsReport> {
    return this.#clients.reach(
      this.#next.map((number) => number - 1),
      deadlineMs,
    );
  }
}

/** The number that was there before. */
function bump(numbers: number[], index: number): number {
  const number = numbers[index] ?? 1;
  numbers[index] = number + 1;
  return number;
}
