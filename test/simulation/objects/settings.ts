/** In what surroundings a life is lived: drawn from its seed. */
import { POLICIES, type Policy } from '../../../worker/policy.ts';
import { parseRoomName } from '../../../worker/protocol/rooms.ts';
import type { Random } from './random.ts';

/** The room that every object which holds sockets follows. */
export const FOLLOWED = 'system';

const SECOND = 1_000;
const HOUR = 3_600 * SECOND;
const FEW = { entries: 40, characters: 400_000 };

export interface Settings {
  /** Of what is followed: durable with alerts that expire, or in memory with a latest event per key. */
  readonly system: Policy;
  readonly width: number;
  readonly regions: readonly [string, ...string[]];
  /** Rooms that hold sockets, beside the followed one. */
  readonly rooms: readonly string[];
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
    regions: random.chance(0.75) ? ['weur'] : ['weur', 'enam'],
    rooms,
    clients: rooms.length + random.between(1, 4),
    tellsBuffered: random.chance(0.5),
    hasLargeEvents: random.chance(0.06),
  };
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
