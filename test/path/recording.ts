/** A made-up recording of a market, with all that a careless parser would change. */
import { createHash } from 'node:crypto';

export interface Line {
  readonly topic: string;
  readonly key: string;
  /** JSON text on one line. */
  readonly value: string;
}

const SYMBOLS = ['BTC-USDC', 'ETH-USDC', '1000PEPE_USDT'];
const NOTES = [
  '"caf\\u00e9 \\ud83d\\ude80"',
  '"caf\u00e9 \u{1f680} \u2028 \u00a0"',
  '"\\/ \\" \\\\ \\t"',
  '12345678901234567890',
  '0.10000000000000000000001',
  '[1.10,1E2,-0.0]',
  '{"deep":{"er":[{},[]]}}',
];

/** `count` events of each kind for each symbol, told apart by `mark`. */
export function record(mark: string, count: number): Line[] {
  return Array.from({ length: count }).flatMap((_, index) =>
    SYMBOLS.flatMap((symbol) => {
      const note = NOTES[index % NOTES.length];
      const price = `${45_000 + index}.${index % 10}0`;
      const id = createHash('sha1').update(`${mark} ${symbol} ${index}`).digest('hex');
      const tail = `"timestamp":${1_703_123_456_789 + index},"metadata":{"priority":"high","source":"${mark}"}}`;
      return [
        {
          topic: 'price.updates',
          key: symbol,
          value: `{"type":"price_update","symbol":"${symbol}","data":{"price":${price},"volume":"0.${index}0","note":${note},"id":"${id}"},${tail}`,
        },
        {
          topic: 'order.book.updates',
          key: symbol,
          value: `{"type":"order_book_update", "symbol":"${symbol}", "data":{"bids":[[${price}, 1.50],["${price}","2.0"]],"asks":[],"note":${note},"id":"${id}"}, ${tail}`,
        },
        {
          topic: 'trade.notifications',
          key: symbol,
          value: `{"data":{"tradeId":"${id}","price":${price},"amount":1e-8,"side":"buy","note":${note}},"symbol":"${symbol}","type":"trade_notification",${tail}`,
        },
      ];
    }),
  );
}

/** What each room is to receive of `lines`; `price_updates` is fed by several partitions. */
export function expectedByRoom(lines: readonly Line[]): Map<string, string[]> {
  const prefixes: Record<string, string> = {
    'price.updates': 'price',
    'order.book.updates': 'orderbook',
    'trade.notifications': 'trade',
  };
  const rooms = Map.groupBy(lines, ({ topic, key }) => `${prefixes[topic]}:${key}`);
  return new Map([...rooms].map(([room, own]) => [room, own.map(({ value }) => value)]));
}
