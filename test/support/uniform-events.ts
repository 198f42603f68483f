/**
 * Events of one room that all have the same length, so that a frame's own length proves that it
 * holds every event of its span: tens of thousands of frames a second are verified without a parse.
 * Each tells when it was produced, by the clock that all processes of a machine share.
 */
import { encodeEntry, encodeEvents } from '../../worker/protocol/frames.ts';
import { nameOfRoom } from '../../worker/protocol/rooms.ts';

export interface Uniform {
  readonly kind: 'price' | 'orderbook' | 'trade';
  readonly symbol: string;
  /** The length of an event's JSON, in characters: 250 or more. */
  readonly length: number;
}

/** What an `events` frame covers: all in `(after, last]`. */
export interface Span {
  readonly after: number;
  readonly last: number;
  /** Whether it holds every event of its span, none conflated. */
  readonly whole: boolean;
}

const KINDS = {
  price: {
    topic: 'price.updates',
    type: 'price_update',
    data: '"price":1.50',
  },
  orderbook: {
    topic: 'order.book.updates',
    type: 'order_book_update',
    data: '"bids":[[1.50,2]],"asks":[[1.60,3]]',
  },
  trade: {
    topic: 'trade.notifications',
    type: 'trade_notification',
    data: '"tradeId":"t","price":1.50,"amount":1,"side":"buy"',
  },
} as const;
const AT_LENGTH = 16;
const COMMA = 0x2c;
const ZERO = 0x30;
const NINE = 0x39;

/** Milliseconds of the monotonic clock, the same in every process. */
export function clock(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

export class UniformEvents {
  readonly uniform: Uniform;
  readonly topic: string;
  readonly room: string;
  readonly key: string;
  readonly #length: number;
  readonly #beforeAt: string;
  readonly #afterAt: string;
  /** `{"type":"events",…,"after":` */
  readonly #head: Buffer;
  readonly #frameOverhead: number;
  readonly #entryOverhead = encodeEntry(0, '').length - 1;
  readonly #eventMember = Buffer.from(',"event":');

  constructor(uniform: Uniform) {
    const { kind, symbol, length } = uniform;
    this.uniform = uniform;
    const { topic, type, data } = KINDS[kind];
    this.topic = topic;
    this.room = nameOfRoom({ class: kind, id: symbol });
    this.key = symbol;
    this.#length = length;
    this.#beforeAt = `{"type":"${type}","symbol":"${symbol}","data":{${data},"at":"`;
    const end = '"},"timestamp":1703123456789,"metadata":{"priority":"high"}}';
    const padding = length - this.#beforeAt.length - AT_LENGTH - '","pad":"'.length - end.length;
    if (padding < 0) throw new RangeError(`${length} characters are too few`);
    this.#afterAt = `","pad":"${'x'.repeat(padding)}${end}`;
    const empty = encodeEvents(this.room, 0, '');
    this.#head = Buffer.from(empty.slice(0, empty.indexOf('0,"events"')));
    this.#frameOverhead = empty.length - 1;
  }

  /** An event's JSON, produced at `at`. */
  compose(at: number): string {
    return `${this.#beforeAt}${at.toFixed(3).padStart(AT_LENGTH, '0')}${this.#afterAt}`;
  }

  /** What a frame covers; undefined when it is no `events` frame of this room. */
  spanOf(payload: Buffer): Span | undefined {
    const { length } = this.#head;
    if (payload.compare(this.#head, 0, length, 0, length) !== 0) return undefined;
    let after = 0;
    for (let index = length; payload[index] !== COMMA; index++) {
      after = after * 10 + (payload[index] ?? 0) - ZERO;
    }
    // It is read from the end: there stands the last entry's event, and before it the number.
    let index = payload.length - ']}'.length - '}'.length - this.#length;
    index -= this.#eventMember.length;
    const member = index + this.#eventMember.length;
    if (payload.compare(this.#eventMember, 0, undefined, index, member) !== 0) {
      throw new Error('an event of another length');
    }
    let last = 0;
    for (let unit = 1; ; unit *= 10) {
      const digit = payload[--index] ?? 0;
      if (digit < ZERO || digit > NINE) break;
      last += (digit - ZERO) * unit;
    }
    return { after, last, whole: payload.length === this.#frameLength(after, last) };
  }

  /** Calls `each` with when an event was produced, for all of a frame that is whole. */
  timesOf(payload: Buffer, { after, last }: Span, each: (at: number) => void): void {
    const beforeAt = '{"seq":'.length + this.#eventMember.length + this.#beforeAt.length;
    let start = this.#head.length + digitsOf(after) + ',"events":['.length;
    for (let seq = after + 1; seq <= last; seq++) {
      const at = start + beforeAt + digitsOf(seq);
      each(Number(payload.toString('latin1', at, at + AT_LENGTH)));
      start += this.#entryOverhead + digitsOf(seq) + this.#length + 1;
    }
  }

  #frameLength(after: number, last: number): number {
    const count = last - after;
    const entries = count * (this.#entryOverhead + this.#length) + digitsBetween(after, last);
    return this.#frameOverhead + digitsOf(after) + entries + count - 1;
  }
}

function digitsOf(number: number): number {
  let digits = 1;
  for (let rest = number; rest >= 10; rest = Math.floor(rest / 10)) digits++;
  return digits;
}

/** How many digits all numbers in `(from, to]` have together. */
function digitsBetween(from: number, to: number): number {
  let digits = to - from;
  // One more for each power of ten that a number reaches.
  for (let power = 10; power <= to; power *= 10) digits += to - Math.max(from, power - 1);
  return digits;
}
