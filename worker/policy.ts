/** What a room of each class keeps, and who may join it: one table. */
import type { RoomClass } from './protocol/rooms.ts';

export interface Policy {
  /** `anyone`, anonymous too; `user`: the one it is named after; `grant`: whose token names it. */
  readonly access: 'anyone' | 'user' | 'grant';
  /**
   * `durable`: in SQLite before the bridge gets its answer. `memory`: saved when idle; an object lost
   * in a crash loses its tail, and starts a new epoch.
   */
  readonly log: 'durable' | 'memory';
  readonly retention: Retention;
  /** What a new member is shown: the latest event per key, or the newest `tail` events. */
  readonly snapshot:
    | { readonly kind: 'latest' }
    | { readonly kind: 'tail'; readonly events: number };
  /** The least time between two flushes, in ms. */
  readonly flushInterval: number;
}

/** A log's bounds; an entry beyond any of them is trimmed. */
export interface Retention {
  readonly entries: number;
  /** Of all entries' JSON, in characters. */
  readonly characters: number;
  /** How long an entry lives that brings no expiry of its own, in ms. */
  readonly age: number;
  /** How many keys' latest events are kept, and how many characters of them. */
  readonly keys: number;
  readonly keyCharacters: number;
}

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
/** A room's object has 128 MB; its log takes a few of them at most. */
const MAX_CHARACTERS = 1024 * 1024;

/** A tail that bridges a reconnect of a few seconds at hundreds of events a second. */
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
/** As much of a tape, a user's day or a conversation as fits a first screen. */
const RECENT_EVENTS = 50;
const MAX_ALERTS = 100;
/** All symbols of a large exchange. */
const MAX_SYMBOLS = 4_000;

export const POLICIES: Readonly<Record<RoomClass, Policy>> = {
  price: {
    access: 'anyone',
    log: 'memory',
    retention: SHORT,
    snapshot: { kind: 'latest' },
    flushInterval: 0,
  },
  price_updates: {
    access: 'anyone',
    log: 'memory',
    retention: { ...SHORT, keys: MAX_SYMBOLS, keyCharacters: 2 * MAX_CHARACTERS },
    snapshot: { kind: 'latest' },
    flushInterval: 100,
  },
  orderbook: {
    access: 'anyone',
    log: 'memory',
    retention: SHORT,
    snapshot: { kind: 'latest' },
    flushInterval: 50,
  },
  trade: {
    access: 'anyone',
    log: 'durable',
    retention: { ...LONG, age: HOUR },
    snapshot: { kind: 'tail', events: RECENT_EVENTS },
    flushInterval: 0,
  },
  user: {
    access: 'user',
    log: 'durable',
    retention: LONG,
    snapshot: { kind: 'tail', events: RECENT_EVENTS },
    flushInterval: 0,
  },
  system: {
    access: 'anyone',
    log: 'durable',
    retention: { ...LONG, entries: MAX_ALERTS },
    snapshot: { kind: 'tail', events: MAX_ALERTS },
    flushInterval: 0,
  },
  custom: {
    access: 'grant',
    log: 'durable',
    retention: { ...LONG, age: HOUR },
    snapshot: { kind: 'tail', events: RECENT_EVENTS },
    flushInterval: 0,
  },
};
