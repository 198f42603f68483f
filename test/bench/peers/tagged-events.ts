/**
 * The event that all contenders carry: a price with a tag of fixed width, which says of which symbol it
 * is, which number of that symbol, and when it was handed to Kafka. A client finds the tags in whatever
 * frame they come, whoever has made it, and needs no parser for that.
 */

export interface Tag {
  /** The number of the symbol, from 0. */
  readonly symbol: number;
  /** The number of the event, from 1 within its symbol. */
  readonly number: number;
  /** When it was handed to Kafka, by `clock`. */
  readonly at: number;
}

const MARK = Buffer.from('"tag":"');
const WIDTHS = { symbol: 3, number: 8, time: 16 };
const NUMBER_AT = MARK.length + WIDTHS.symbol + 1;
const TIME_AT = NUMBER_AT + WIDTHS.number + 1;
const END_AT = TIME_AT + WIDTHS.time;
const ZERO = 0x30;

export function symbolOf(index: number): string {
  return `S${pad(index, WIDTHS.symbol)}-USDC`;
}

export function roomOf(index: number): string {
  return `price:${symbolOf(index)}`;
}

export function composeTagged({ symbol, number, at }: Tag): string {
  const time = pad(Math.round(at * 1000), WIDTHS.time);
  const tag = `${pad(symbol, WIDTHS.symbol)}.${pad(number, WIDTHS.number)}.${time}`;
  return (
    `{"type":"price_update","symbol":"${symbolOf(symbol)}","data":{"price":45000.5,"change":125.3,` +
    '"changePercent":0.28,"volume":1234567.89,"high24h":45500,"low24h":44200,' +
    `"lastUpdated":1703123456789,"tag":"${tag}"},"timestamp":1703123456789,` +
    '"metadata":{"priority":"high","source":"price-service"}}'
  );
}

/** Calls `each` for every event of a frame, in their order. The tag is valid during the call only. */
export function eachTag(frame: Buffer, each: (tag: Tag) => void): void {
  const tag = { symbol: 0, number: 0, at: 0 };
  for (let at = frame.indexOf(MARK); at !== -1; at = frame.indexOf(MARK, at + END_AT)) {
    tag.symbol = digits(frame, at + MARK.length, WIDTHS.symbol);
    tag.number = digits(frame, at + NUMBER_AT, WIDTHS.number);
    tag.at = digits(frame, at + TIME_AT, WIDTHS.time) / 1000;
    each(tag);
  }
}

function pad(value: number, width: number): string {
  return String(value).padStart(width, '0');
}

function digits(frame: Buffer, from: number, width: number): number {
  let value = 0;
  for (let at = from; at < from + width; at++) value = value * 10 + (frame[at] ?? 0) - ZERO;
  return value;
}
