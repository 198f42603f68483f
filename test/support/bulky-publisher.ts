/** Trades of any size, as the bridge POSTs them; each says as `n` which one of its symbol it is. */
import { type PostedRecord, post } from './worker.ts';

export class BulkyPublisher {
  /** How many trades there are of each symbol. */
  readonly published = new Map<string, number>();
  readonly #url: string;
  #offset = 0;

  constructor(url: string) {
    this.#url = url;
  }

  /** A trade of each symbol, of so many characters beside what every trade has. */
  async publish(symbols: readonly string[], length: number): Promise<void> {
    const records = symbols.map((symbol) => this.#trade(symbol, length));
    const { status } = await post(this.#url, records);
    if (status !== 200) throw new Error(`answered by ${status}`);
  }

  #trade(symbol: string, length: number): PostedRecord {
    const n = (this.published.get(symbol) ?? 0) + 1;
    this.published.set(symbol, n);
    const trade = { tradeId: String(n), price: '1.50', amount: '2', side: 'buy' };
    const data = { ...trade, n, memo: 'x'.repeat(length) };
    const metadata = { priority: 'high' };
    const event = { type: 'trade_notification', symbol, data, timestamp: 1, metadata };
    return {
      topic: 'trade.notifications',
      offset: ++this.#offset,
      value: JSON.stringify(event),
    };
  }
}
