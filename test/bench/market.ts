/** A made-up minute of an exchange: mostly order books, as in recordings of real ones. */

export interface MarketRecord {
  readonly topic: string;
  readonly key: string;
  readonly value: string;
}

const SYMBOLS = ['BTC', 'ETH', 'SOL', 'LTC', 'DOT', 'ADA', 'UNI', 'LINK'].map((s) => `${s}-USDC`);
const LEVELS = 8;
/** One price and one trade in this many events each; the others are books. */
const PRICE_EVERY = 33;

/** `count` records; the same for the same `seed`. */
export function market(seed: number, count: number): MarketRecord[] {
  const random = xorshift(seed + 1);
  return Array.from({ length: count }, (_, index) => {
    const symbol = SYMBOLS[Math.floor(random() * SYMBOLS.length)] ?? 'BTC-USDC';
    const price = 100 + Math.round(random() * 1_000_000) / 100;
    const timestamp = 1_703_123_456_789 + index;
    const metadata = { priority: 'high', source: 'bench' };
    switch (index % PRICE_EVERY) {
      case 0: {
        const data = {
          price,
          change: 1.5,
          changePercent: 0.28,
          volume: 1234567.89,
          lastUpdated: timestamp,
        };
        const event = { type: 'price_update', symbol, data, timestamp, metadata };
        return { topic: 'price.updates', key: symbol, value: JSON.stringify(event) };
      }
      case 1: {
        const data = { tradeId: `${seed}-${index}`, price, amount: 0.1, side: 'buy' };
        const event = { type: 'trade_notification', symbol, data, timestamp, metadata };
        return { topic: 'trade.notifications', key: symbol, value: JSON.stringify(event) };
      }
      default: {
        const side = (step: number) =>
          Array.from({ length: LEVELS }, (_, level) => [
            Math.round((price + step * level) * 100) / 100,
            Math.round(random() * 10_000) / 1_000,
          ]);
        const data = { bids: side(-0.5), asks: side(0.5), lastUpdated: timestamp };
        const event = { type: 'order_book_update', symbol, data, timestamp, metadata };
        return { topic: 'order.book.updates', key: symbol, value: JSON.stringify(event) };
      }
    }
  });
}

function xorshift(seed: number): () => number {
  let state = seed * 2_654_435_761;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}
