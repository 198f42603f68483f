/**
 * Room names: the grammar of what a client may ask for and an event may be routed to.
 *
 *   price:{symbol}   orderbook:{symbol}   trade:{symbol}   price_updates   user:{userId}   system
 *   and custom rooms such as trading-room-general
 *
 * No name has an `@`: it is kept for the rooms that the gateway itself makes.
 */

/** `BTC-USDC`, `1000PEPE_USDT`: at most 64 letters, digits, `.`, `_` and `-`, and no sign at first. */
export const SYMBOL_PATTERN = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
/** `user-123`, `auth0|5f7c`, `did:privy:abc`: at most 128 characters of a symbol, `:` and `|`. */
export const USER_ID_PATTERN = /^[A-Za-z0-9][A-Za-z0-9._:|-]{0,127}$/;
/** `trading-room-general`: the characters of a symbol. The reserved names below are taken. */
export const CUSTOM_ROOM_PATTERN = SYMBOL_PATTERN;

const RESERVED_NAMES = new Set(['price', 'orderbook', 'trade', 'user', 'price_updates', 'system']);

export type RoomClass =
  | 'price'
  | 'price_updates'
  | 'orderbook'
  | 'trade'
  | 'user'
  | 'system'
  | 'custom';

/** Who may join a room: anyone, the user it is named after, or those whose token names it. */
export type Access = 'anyone' | 'user' | 'grant';

/**
 * Who may join the rooms of each class. This is the one place that says so: the policy reads it to
 * admit clients, and the privacy check to keep a user's id out of what anyone may read.
 */
export const ROOM_ACCESS = {
  price: 'anyone',
  price_updates: 'anyone',
  orderbook: 'anyone',
  trade: 'anyone',
  user: 'user',
  system: 'anyone',
  custom: 'grant',
} as const satisfies Readonly<Record<RoomClass, Access>>;

/** A parsed room name; `id` is the symbol, the user id or the custom room's own name. */
export interface RoomName {
  readonly class: RoomClass;
  readonly id: string;
}

/** The room that `name` names, or undefined when the grammar has no such room. */
export function parseRoomName(name: string): RoomName | undefined {
  if (name === 'system' || name === 'price_updates') return { class: name, id: '' };
  const colon = name.indexOf(':');
  if (colon === -1) return isCustomRoom(name) ? { class: 'custom', id: name } : undefined;
  const roomClass = name.slice(0, colon);
  const id = name.slice(colon + 1);
  switch (roomClass) {
    case 'price':
    case 'orderbook':
    case 'trade':
      return SYMBOL_PATTERN.test(id) ? { class: roomClass, id } : undefined;
    case 'user':
      return USER_ID_PATTERN.test(id) ? { class: roomClass, id } : undefined;
    default:
      return undefined;
  }
}

/** Whether `name` is the name of a custom room. */
export function isCustomRoom(name: string): boolean {
  return CUSTOM_ROOM_PATTERN.test(name) && !RESERVED_NAMES.has(name);
}

/** The name of a room: the inverse of `parseRoomName`. */
export function nameOfRoom(room: RoomName): string {
  switch (room.class) {
    case 'price_updates':
    case 'system':
      return room.class;
    case 'custom':
      return room.id;
    default:
      return `${room.class}:${room.id}`;
  }
}
