/**
 * Prices, books and trades of many symbols, what users have, and alerts, at speed: as the bridge POSTs
 * them, which sends a batch again until it is taken. Each event says in its `data`, as `n`, which one of
 * its room and symbol it is.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { until } from './until.ts';
import { type PostedRecord, post } from './worker.ts';

const KINDS = ['price', 'orderbook', 'trade'] as const;
type Kind = (typeof KINDS)[number];

const DATA: Readonly<Record<Kind, (n: number) => object>> = {
  price: (n) => ({ price: `${45_000 + n}.50` }),
  orderbook: (n) => ({ bids: [['1.50', n]], asks: [['1.60', n]] }),
  trade: (n) => ({ tradeId: String(n), price: '1.50', amount: '2', side: 'buy' }),
};
const TYPES = {
  price: 'price_update',
  orderbook: 'order_book_update',
  trade: 'trade_notification',
};
const TOPICS = {
  price: 'price.updates',
  orderbook: 'order.book.updates',
  trade: 'trade.notifications',
};
/** How many records of the market are in one batch. */
const MARKET_RECORDS = 40;
const PRIORITIES = ['high', 'medium', 'low'];

export class MarketPublisher {
  readonly symbols: readonly string[];
  readonly users: readonly string[];
  /** How many events there are of each room and symbol. */
  readonly published = new Map<string, Map<string, number>>();
  count = 0;
  readonly #url: string;
  readonly #offsets = new Map<string, number>();
  #stopped = false;

  constructor(url: string, symbols: number, users: number) {
    this.#url = url;
    this.symbols = Array.from({ length: symbols }, (_, index) => `S${index}-USDC`);
    this.users = Array.from({ length: users }, (_, index) => `user-${index}`);
  }

  get publicRooms(): string[] {
    return ['price_updates', ...KINDS.flatMap((kind) => this.symbols.map((id) => `${kind}:${id}`))];
  }

  /** An event of each room. */
  async publishAll(): Promise<void> {
    for (const kind of KINDS) await this.#send(this.symbols.map((id) => this.#market(kind, id)));
    await this.#send([this.#alert(), ...this.users.map((user) => this.#portfolio(user))]);
  }

  /** Goes on until `stop`, with a batch every `everyMs`. */
  async run(everyMs: number): Promise<void> {
    this.#stopped = false;
    for (let batch = 0; !this.#stopped; batch++) {
      const records = Array.from({ length: MARKET_RECORDS }, () =>
        this.#market(anyOf(KINDS), anyOf(this.symbols)),
      );
      records.push(this.#portfolio(anyOf(this.users)));
      if (batch % 10 === 0) records.push(this.#alert());
      await this.#send(records);
      await sleep(everyMs);
    }
  }

  stop(): void {
    this.#stopped = true;
  }

  async #send(records: readonly PostedRecord[]): Promise<void> {
    this.count += records.length;
    await until('a batch is taken', async () => (await post(this.#url, records)).status === 200);
  }

  #market(kind: Kind, symbol: string): PostedRecord {
    const n = this.#next(`${kind}:${symbol}`, symbol);
    if (kind === 'price') this.#next('price_updates', symbol);
    const data = { ...DATA[kind](n), n };
    return this.#record(TOPICS[kind], { type: TYPES[kind], symbol, data });
  }

  #portfolio(userId: string): PostedRecord {
    const n = this.#next(`user:${userId}`, '');
    return this.#record('portfolio.updates', {
      type: 'portfolio_update',
      userId,
      data: { totalValue: n, n },
    });
  }

  #alert(): PostedRecord {
    const n = this.#next('system', '');
    const data = { level: 'info', title: 't', message: 'm', n };
    return this.#record('system.alerts', { type: 'system_alert', data });
  }

  #record(topic: string, event: object): PostedRecord {
    const offset = (this.#offsets.get(topic) ?? 0) + 1;
    this.#offsets.set(topic, offset);
    const metadata = { priority: anyOf(PRIORITIES) };
    return { topic, offset, value: JSON.stringify({ ...event, timestamp: 1, metadata }) };
  }

  #next(room: string, symbol: string): number {
    const ofRoom = this.published.get(room) ?? new Map<string, number>();
    this.published.set(room, ofRoom);
    const n = (ofRoom.get(symbol) ?? 0) + 1;
    ofRoom.set(symbol, n);
    return n;
  }
}

export function anyOf<Item>(items: readonly Item[]): Item {
  const item = items[Math.floor(Math.random() * items.length)];
  if (item === undefined) throw new RangeError('there is none');
  return item;
}
