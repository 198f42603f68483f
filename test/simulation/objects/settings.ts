/** The surroundings in which a life is lived, drawn from its seed. */
import { POLICIES, type Policy } from '../../../worker/policy.ts';
import { parseRoomName } from '../../../worker/protocol/rooms.ts';
import { LARGE_LOG } from '../../../worker/room/follow/large-logs.ts';
import type { Random } from './random.ts';

/** The room that every object which holds sockets follows. */
export const FOLLOWED = 'system';
/** The users of lives at relays. */
export const USERS = ['ann', 'bob'] as const;

const SECOND = 1_000;
const HOUR = 3_600 * SECOND;
/** In characters: every log that has an event, those that have a few, and hardly any. */
const LARGE_LOGS = [0, 200, LARGE_LOG, LARGE_LOG] as const;
const FEW = { entries: 40, characters: 400_000 };

export interface Settings {
  /** The policy of what is followed: durable with alerts that expire, or in memory with a latest event per key. */
  readonly system: Policy;
  readonly width: number;
  /** A log of more characters is given to few followers at once. */
  readonly largeLog: number;
  readonly regions: readonly [string, ...string[]];
  /** Rooms that hold sockets, beside the followed one. */
  readonly rooms: readonly string[];
  /** Objects that hold sockets of many rooms. */
  readonly relays: readonly string[];
  readonly clients: number;
  /** Whether the runtime has `bufferedAmount`. */
  readonly tellsBuffered: boolean;
  /** Whether some events fill a frame, so that windows and buffers fill. */
  readonly hasLargeEvents: boolean;
}

export function drawSettings(random: Random): Settings {
  const size = random.pick(['small', 'small', 'medium', 'medium', 'large']);
  const count = { small: [2, 4], medium: [5, 9], large: [10, 18] }[size] as [number, number];
  const rooms = drawRooms(random, random.between(...count));
  return {
    system: random.chance(0.6) ? drawDurable(random) : drawKeyed(random),
    width: random.pick([2, 2, 2, 3, 4]),
    largeLog: random.pick(LARGE_LOGS),
    regions: random.chance(0.75) ? ['weur'] : ['weur', 'enam'],
    rooms,
    relays: [],
    clients: rooms.length + random.between(1, 4),
    tellsBuffered: random.chance(0.5),
    hasLargeEvents: random.chance(0.06),
  };
}

export function drawRelaySettings(random: Random): Settings {
  const regions: Settings['regions'] = random.chance(0.6) ? ['weur'] : ['weur', 'enam'];
  const numbers = Array.from({ length: random.between(1, 3) }, (_, number) => number);
  const hasLongNames = random.chance(0.08);
  return {
    system: random.chance(0.6) ? drawDurable(random) : drawKeyed(random),
    width: random.pick([2, 2, 3, 4]),
    largeLog: random.pick(LARGE_LOGS),
    regions,
    rooms: drawRelayedRooms(random, hasLongNames),
    relays: numbers.map((number) => `relay ${regions[number % regions.length]}.${number}`),
    clients: random.between(2, 6),
    tellsBuffered: random.chance(0.4),
    hasLargeEvents: !hasLongNames && random.chance(0.25),
  };
}

/** The rooms that a token must grant. */
export function grantedRooms({ rooms }: Settings): string[] {
  return rooms.filter((room) => parseRoomName(room)?.class === 'custom');
}

/** Whether other objects may follow a room. */
export function isFollowed(room: string, { rooms, relays }: Settings): boolean {
  return room === FOLLOWED || (relays.length > 0 && rooms.includes(room));
}

/** What a room keeps: few entries, so that their bounds are met. */
export function policyOf(room: string, { system }: Settings): Policy {
  if (room === FOLLOWED) return system;
  const policy = POLICIES[parseRoomName(room)?.class ?? 'custom'];
  return { ...policy, retention: { ...policy.retention, ...FEW } };
}

function drawRooms(random: Random, count: number): string[] {
  const classes = ['trade', 'trade', 'price', 'user'] as const;
  return Array.from({ length: count }, (_, index) => `${random.pick(classes)}:${index}`);
}

/** Rooms of all kinds, sometimes with names so long that an attachment holds few of them. */
function drawRelayedRooms(random: Random, hasLongNames: boolean): string[] {
  const classes = ['trade', 'trade', 'price', 'orderbook'] as const;
  const count = hasLongNames ? 24 : random.between(2, 9);
  const end = hasLongNames ? '\u5e01'.repeat(random.between(150, 240)) : '';
  const open = Array.from(
    { length: count },
    (_, index) => `${random.pick(classes)}:${index}${end}`,
  );
  return [...open, ...USERS.map((user) => `user:${user}`), `desk${end}`, `club${end}`];
}

function drawDurable(random: Random): Policy {
  const entries = random.pick([3, 6, 20, 100]);
  const age = random.pick([10 * SECOND, 600 * SECOND, 24 * HOUR]);
  return {
    ...POLICIES.system,
    retention: { ...POLICIES.system.retention, entries, age },
    snapshot: { kind: 'tail', events: random.chance(0.7) ? entries : 2 },
  };
}

function drawKeyed(random: Random): Policy {
  const { retention } = POLICIES.price_updates;
  return {
    ...POLICIES.price_updates,
    access: 'anyone',
    retention: {
      ...retention,
      entries: random.pick([3, 8, 100]),
      age: random.pick([10 * SECOND, 60 * SECOND]),
      keys: random.pick([2, 4_000]),
    },
    flushInterval: random.pick([0, 100]),
  };
}
