/**
 * Room names: the grammar of what a client may ask for and an event may be routed to.
 *
 *   price:{symbol}   orderbook:{symbol}   trade:{symbol}   price_updates   user:{userId}   system
 *   and custom rooms such as trading-room-general
 *
 * Symbols, user ids and custom names are as wide as real exchanges have them, and as is safe in one
 * segment of a URL and in a log line. A name has one normal form, so that one name is one room. No
 * name holds white space: an object that is not a room's root is called by the room's name, a blank
 * and its place.
 */

/**
 * The classes of rooms, with the form of their rooms' names. A new class is a line here, one in
 * `ROOM_ACCESS` and one in the table of `worker/policy.ts`; the compiler complains about a missing one.
 */
const ROOM_FORMS = {
  price: 'class:id',
  price_updates: 'class',
  orderbook: 'class:id',
  trade: 'class:id',
  user: 'class:id',
  system: 'class',
  /** Any name that no other class has. */
  custom: 'id',
} as const satisfies Readonly<Record<string, 'class' | 'class:id' | 'id'>>;

export type RoomClass = keyof typeof ROOM_FORMS;
type ClassOfForm<Form> = {
  [Class in RoomClass]: (typeof ROOM_FORMS)[Class] extends Form ? Class : never;
}[RoomClass];
/** The classes of one room each, which is called like its class. */
export type BareRoomClass = ClassOfForm<'class'>;
type NamedRoomClass = ClassOfForm<'class:id'>;

/** The longest symbol, user id or name of a custom room, in characters. */
export const MAX_NAME_LENGTH = 256;
/** The longest room name: the longest id after the longest class. */
export const MAX_ROOM_LENGTH =
  Math.max(
    ...Object.keys(ROOM_FORMS)
      .filter(isNamed)
      .map((name) => name.length),
  ) +
  ':'.length +
  MAX_NAME_LENGTH;

/**
 * Letters, marks and digits of any script, currency signs and pictures, and the signs that real ids
 * have. White space, control and invisible characters would make two names look alike, or break a log
 * line. `?`, `#` and `%` would cut or change an address that was not encoded. Double quotes, angle
 * brackets, braces and backslashes are part of no id that we know, and could end a quoted text.
 */
const NAME_PATTERN =
  /^(?:(?!\p{Default_Ignorable_Code_Point})[\p{L}\p{M}\p{N}\p{Sc}\p{So}\p{Emoji_Modifier}!$&'()*+,./:;=@^_|~-])+$/u;
/**
 * The address of a wallet, a contract or a pool, alone or as a part of a name. The case of its digits
 * is a checksum and makes no difference. Shorter numbers keep their case, since they may be a nickname.
 */
const ADDRESS_PATTERN = /(?<![\p{L}\p{N}])0x[0-9a-f]{40,}(?![\p{L}\p{N}])/giu;
/** A path segment of these names would lead to another address. */
const DOT_SEGMENTS = new Set(['.', '..']);
/** The room that every session reads. */
export const SYSTEM_ROOM = 'system' satisfies BareRoomClass;
/** Objects of this name relay rooms to sockets that want many of them. */
export const RELAY = 'relay';

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

/** The classes of rooms that are called by a symbol. */
const SYMBOL_CLASSES: readonly RoomClass[] = ['price', 'orderbook', 'trade'];

/** A parsed room name; `id` is the symbol, the user id or the custom room's own name. */
export interface RoomName {
  readonly class: RoomClass;
  readonly id: string;
}

/**
 * The one form of a symbol, a user id or a custom name: Unicode's NFC, with the addresses in it in
 * lower case, so that `0xC02a…` and `0xc02a…` are one user. Everything else is case-sensitive.
 */
export function normalForm(name: string): string {
  const composed = name.normalize('NFC');
  // Most names hold no address, and to look for two letters costs less than a pattern.
  if (!/0x/i.test(composed)) return composed;
  return composed.replace(ADDRESS_PATTERN, (address) => address.toLowerCase());
}

/** Whether `name` can be a symbol or a user id. Its composed form is judged: marks make other signs. */
export function isName(name: string): boolean {
  const composed = name.normalize('NFC');
  return composed.length <= MAX_NAME_LENGTH && NAME_PATTERN.test(composed);
}

/** Whether `name` can be the name of a custom room. With a colon it would look like another class. */
export function isCustomRoom(name: string): boolean {
  return (
    isName(name) &&
    !name.includes(':') &&
    !isBare(name) &&
    !isNamed(name) &&
    name !== RELAY &&
    !DOT_SEGMENTS.has(name)
  );
}

/** The room that `name` names, in its normal form; undefined when the grammar has no such room. */
export function parseRoomName(name: string): RoomName | undefined {
  if (isBare(name)) return { class: name, id: '' };
  const colon = name.indexOf(':');
  if (colon === -1) {
    return isCustomRoom(name) ? { class: 'custom', id: normalForm(name) } : undefined;
  }
  const roomClass = name.slice(0, colon);
  const id = name.slice(colon + 1);
  return isNamed(roomClass) && isName(id) ? { class: roomClass, id: normalForm(id) } : undefined;
}

/** The name of a room in its normal form: the inverse of `parseRoomName`. */
export function nameOfRoom({ class: roomClass, id }: RoomName): string {
  if (isBare(roomClass)) return roomClass;
  return roomClass === 'custom' ? normalForm(id) : `${roomClass}:${normalForm(id)}`;
}

/** The normal form of a room's name; a name that no room has is left as it is. */
export function normalRoomName(name: string): string {
  const room = parseRoomName(name);
  return room === undefined ? name : nameOfRoom(room);
}

/** The symbol by which a room is called, given its name in normal form; undefined when it has none. */
export function symbolOfRoom(room: string): string | undefined {
  const roomClass = SYMBOL_CLASSES.find((known) => room.startsWith(`${known}:`));
  return roomClass === undefined ? undefined : room.slice(roomClass.length + 1);
}

function isBare(name: string): name is BareRoomClass {
  return formOf(name) === 'class';
}

function isNamed(name: string): name is NamedRoomClass {
  return formOf(name) === 'class:id';
}

function formOf(name: string): string | undefined {
  return Object.hasOwn(ROOM_FORMS, name) ? ROOM_FORMS[name as RoomClass] : undefined;
}
