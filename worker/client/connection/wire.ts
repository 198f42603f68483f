/**
 * The protocol as the client reads and writes it. It is written by hand, because a schema library would
 * be most of the client's size. The types are the protocol's own, so that the two cannot differ. Frames
 * of unknown type and unknown fields are ignored.
 */
import type {
  BEARER_SUBPROTOCOL_PREFIX,
  Events,
  Gap,
  NumberedEvent,
  PONG,
  Shutdown,
  Snapshot,
  SUBPROTOCOL,
  Subscribed,
  Times,
} from '../../protocol/frames.ts';
import type { ClientMessage } from '../../protocol/messages.ts';
import type { BareRoomClass } from '../../protocol/rooms.ts';

// Values of frames.ts would bring its schemas along.
export const subprotocol: typeof SUBPROTOCOL = 'gateway.v1';
export const bearerPrefix: typeof BEARER_SUBPROTOCOL_PREFIX = 'bearer.';
export const pong: typeof PONG = 'pong';
/** The room that every socket brings, beside its own. */
export const systemRoom: BareRoomClass & 'system' = 'system';

/** The part of `welcome` that the client uses. */
export interface Welcome {
  readonly type: 'welcome';
  readonly expiresAt?: unknown;
  /** A gateway without a window knows no acks. */
  readonly limits?: { readonly window?: unknown; readonly messageLength?: unknown };
  readonly home?: string;
  /** What the client should know of its token, though it holds. */
  readonly notices?: readonly string[];
}

/** Later gateways may have codes, and reasons of gaps, that this client does not know. */
export interface SocketError {
  readonly type: 'error';
  readonly id?: string;
  readonly room?: string;
  readonly code: string;
  readonly message: string;
}
export type AnyGap = Omit<Gap, 'reason'> & { readonly reason: string };

/** `characters`: how long its text was, about. */
export type ReceivedEvent = NumberedEvent & {
  readonly times?: Times;
  readonly characters: number;
};
type WithEvents<Of> = Omit<Of, 'events'> & { readonly events: readonly ReceivedEvent[] };

/** Frames that move cursors. */
export type LogFrame = Subscribed | WithEvents<Snapshot> | WithEvents<Events> | AnyGap;
export type Frame = Welcome | LogFrame | SocketError | Shutdown;

/** The frames that are known, and the fields that each must have: a room, events, or else numbers. */
const FIELDS: { readonly [Type in Frame['type']]: readonly FieldOf<Type>[] } = {
  welcome: [],
  subscribed: ['room', 'epoch', 'seq'],
  snapshot: ['room', 'epoch', 'seq', 'events'],
  events: ['room', 'after', 'events'],
  gap: ['room', 'epoch', 'from', 'to'],
  error: [],
  shutdown: ['retryAfter'],
};
type FieldOf<Type extends Frame['type']> = CheckedIn<Extract<Frame, { readonly type: Type }>>;
type CheckedIn<Of> =
  | {
      [Field in keyof Of]-?: Of[Field] extends number | readonly ReceivedEvent[] ? Field : never;
    }[keyof Of]
  | (keyof Of & 'room');

/**
 * The frame that a received value is; undefined when its type is not known. Its other texts are
 * believed: they are shown, and no more.
 * @param length that of its text, about.
 * @throws when it makes no sense.
 */
export function readFrame(value: unknown, length: number): Frame | undefined {
  const frame = { ...expectObject(value) };
  const type = String(frame.type);
  if (!isKnown(type)) return undefined;
  for (const field of FIELDS[type]) {
    const value = frame[field];
    if (field === 'room') expect(typeof value === 'string');
    else frame[field] = field === 'events' ? eventsOf(value, length) : expectWhole(value);
  }
  // The compiler cannot see what the table did.
  return frame as unknown as Frame;
}

export function write(message: ClientMessage): string {
  return JSON.stringify(message);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return Object(value) === value;
}

function isKnown(type: string): type is Frame['type'] {
  return Object.hasOwn(FIELDS, type);
}

function expect(holds: boolean): asserts holds {
  if (!holds) throw new TypeError('not a frame');
}

function expectObject(value: unknown): Record<string, unknown> {
  expect(isObject(value));
  return value;
}

/** A parser that keeps digits may give numbers as bigints, or as objects with a `valueOf`. */
function expectWhole(value: unknown): number {
  const number = typeof value === 'string' || value === null ? -1 : Number(value);
  expect(Number.isSafeInteger(number) && number >= 0);
  return number;
}

function eventsOf(value: unknown, length: number): ReceivedEvent[] {
  expect(Array.isArray(value));
  const characters = length / value.length;
  // What nothing here depends on, such as times, is handed on as it is.
  return value.map(expectObject).map((numbered) => ({
    ...numbered,
    seq: expectWhole(numbered.seq),
    event: expectObject(numbered.event),
    characters,
  }));
}
