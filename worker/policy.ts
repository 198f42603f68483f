/** What a room of each class keeps, and who may join it: one table. */
import { type Access, parseRoomName, ROOM_ACCESS, type RoomClass } from './protocol/rooms.ts';

export interface Policy {
  readonly access: Access;
  /**
   * `durable`: the log is in SQLite before the bridge gets its answer. `memory`: the log is saved when
   * it is idle, so an object that crashes loses its tail, and starts a new epoch.
   */
  readonly log: 'durable' | 'memory';
  readonly retention: Retention;
  /** What a new member is sent: the latest event per key, or the newest `tail` events. */
  readonly snapshot:
    | { readonly kind: 'latest' }
    | { readonly kind: 'tail'; readonly events: number };
  /** The least time between two flushes, in ms. */
  readonly flushInterval: number;
}

/** The bounds of a log. An entry beyond any of them is trimmed. */
export interface Retention {
  readonly entries: number;
  /** The JSON of all entries together, in characters. */
  readonly characters: number;
  /** How long an entry lives whose event names no expiry, in ms. */
  readonly age: number;
  /** How many keys' latest events are kept, and how many characters of them. */
  readonly keys: number;
  readonly keyCharacters: number;
}

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
/** An object has 128 MB of memory, of which its log takes a few at most. */
const MAX_CHARACTERS = 1024 * 1024;

/** A tail that covers a reconnect of a few seconds at hundreds of events a second. */
const SHORT: Retention = {
  entries: 1_000,
  characters: MAX_CHARACTERS,
  age: MINUTE,
  keys: 1,
  keyCharacters: MAX_CHARACTERS,
};
const LONG: Retention = {
  entries: 1_000,
  characters: MAX_CHARACTERS,
  age: DAY,
  keys: 0,
  keyCharacters: 0,
};
/** What a first screen shows of a tape, a user's day or a conversation. */
const RECENT_EVENTS = 50;
const MAX_ALERTS = 100;
/** A large exchange has so many symbols. */
const MAX_SYMBOLS = 4_000;

/** What a room keeps, by its name. */
export function policyOf(room: string): Policy {
  const name = parseRoomName(room);
  if (name === undefined) throw new Error(`no room is called ${JSON.stringify(room)}`);
  return POLICIES[name.class];
}

export const POLICIES: Readonly<Record<RoomClass, Policy>> = {
  price: {
    access: ROOM_ACCESS.price,
    log: 'memory',
    retention: SHORT,
    snapshot: { kind: 'latest' },
    flushInterval: 0,
  },
  price_updates: {
    access: ROOM_ACCESS.price_updates,
    log: 'memory',
    retention: { ...SHORT, keys: MAX_SYMBOLS, keyCharacters: 2 * MAX_CHARACTERS },
    snapshot: { kind: 'latest' },
    flushInterval: 100,
  },
  orderbook: {
    access: ROOM_ACCESS.orderbook,
    log: 'memory',
    retention: SHORT,
    snapshot: { kind: 'latest' },
    flushInterval: 50,
  },
  trade: {
    access: ROOM_ACCESS.trade,
    log: 'durable',
    retention: { ...LONG, age: HOUR },
    snapshot: { kind: 'tail', events: RECENT_EVENTS },
    flushInterval: 0,
  },
  user: {
    access: ROOM_ACCESS.user,
    log: 'durable',
    retention: LONG,
    snapshot: { kind: 'tail', events: RECENT_EVENTS },
    flushInterval: 0,
  },
  system: {
    access: ROOM_ACCESS.system,
    log: 'durable',
    retention: { ...LONG, entries: MAX_ALERTS },
    snapshot: { kind: 'tail', events: MAX_ALERTS },
    flushInterval: 0,
  },
  custom: {
    access: ROOM_ACCESS.custom,
    log: 'durable',
    retention: { ...LONG, age: HOUR },
    snapshot: { kind: 'tail', events: RECENT_EVENTS },
    flushInterval: 0,
  },
};
