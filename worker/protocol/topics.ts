/**
 * Which event comes by which Kafka topic, and to which rooms it goes: one table. Adding an event
 * type is one entry here plus its schema in `events.ts`.
 */
import * as v from 'valibot';
import type { RejectionCode } from './codes.ts';
import { describeIssue } from './describe-issue.ts';
import {
  notificationSchema,
  orderBookUpdateSchema,
  type Priority,
  portfolioUpdateSchema,
  priceUpdateSchema,
  systemAlertSchema,
  tradeNotificationSchema,
} from './events.ts';
import {
  orderBookRoom,
  PRICE_UPDATES_ROOM,
  priceRoom,
  SYSTEM_ROOM,
  tradeRoom,
  userRoom,
} from './rooms.ts';

/**
 * Where a copy of an event goes. `whole`: as it came. `tape`: with no more of its `data` than a
 * public trade tape shows, and without the user.
 */
export interface Destination {
  readonly room: string;
  readonly view: 'whole' | 'tape';
}

export type Admission =
  | {
      readonly kind: 'admitted';
      readonly destinations: readonly Destination[];
      readonly priority: Priority;
      /** Snapshots and conflation keep the latest event per key; without one, every event counts. */
      readonly key: string | undefined;
      /** Unix ms after which nobody may be sent the event. */
      readonly expiresAt: number | undefined;
    }
  | Rejected;

export interface Rejected {
  readonly kind: 'rejected';
  readonly code: RejectionCode;
  readonly message: string;
}

export interface Topic {
  readonly name: string;
  /** The members of an event that reach a client, in the order in which they are sent. */
  readonly members: ReadonlySet<string>;
  /**
   * Validates a parsed event and tells where it goes.
   * @param namesUser whether `userId` stands anywhere in its `data`.
   */
  readonly admit: (value: unknown, namesUser: boolean) => Admission;
}

/** Where an event goes when its priority is not stated. */
const DEFAULT_PRIORITY: Priority = 'medium';

const whole = (room: string): Destination => ({ room, view: 'whole' });

const TOPIC_TABLE: readonly Topic[] = [
  defineTopic('price.updates', priceUpdateSchema, {
    members: ['type', 'symbol', 'data', 'timestamp', 'metadata'],
    destinations: ({ symbol }) => [whole(priceRoom(symbol)), whole(PRICE_UPDATES_ROOM)],
    key: ({ symbol }) => symbol,
  }),
  defineTopic('order.book.updates', orderBookUpdateSchema, {
    members: ['type', 'symbol', 'data', 'timestamp', 'metadata'],
    destinations: ({ symbol }) => [whole(orderBookRoom(symbol))],
    key: ({ symbol }) => symbol,
  }),
  defineTopic('trade.notifications', tradeNotificationSchema, {
    members: ['type', 'symbol', 'userId', 'data', 'timestamp', 'metadata'],
    destinations: ({ symbol, userId }, namesUser) =>
      userId === undefined && !namesUser
        ? [whole(tradeRoom(symbol))]
        : [
            { room: tradeRoom(symbol), view: 'tape' },
            ...(userId === undefined ? [] : [whole(userRoom(userId))]),
          ],
  }),
  defineTopic('portfolio.updates', portfolioUpdateSchema, {
    members: ['type', 'userId', 'data', 'timestamp', 'metadata'],
    destinations: ({ userId }) => [whole(userRoom(userId))],
  }),
  defineTopic('system.alerts', systemAlertSchema, {
    members: ['type', 'userId', 'data', 'timestamp', 'metadata'],
    destinations: ({ userId }) => [whole(userId === undefined ? SYSTEM_ROOM : userRoom(userId))],
    expiresAt: ({ data }) => data.expiresAt,
  }),
  defineTopic('notifications', notificationSchema, {
    members: ['type', 'category', 'data', 'timestamp', 'metadata'],
    destinations: ({ target }) => {
      switch (target.type) {
        case 'user':
          return [whole(userRoom(target.id))];
        case 'room':
          return [whole(target.id)];
        case 'all':
          return [whole(SYSTEM_ROOM)];
      }
    },
  }),
];

/** The topics by name. */
export const TOPICS: ReadonlyMap<string, Topic> = new Map(
  TOPIC_TABLE.map((topic) => [topic.name, topic]),
);

/** What every schema of the table has, so that `admit` can be written once. */
type EventSchema = v.GenericSchema<
  unknown,
  { data: Record<string, unknown>; metadata?: { priority?: Priority | undefined } | undefined }
>;

interface Routing<Event> {
  readonly members: readonly string[];
  readonly destinations: (event: Event, namesUser: boolean) => readonly Destination[];
  readonly key?: (event: Event) => string;
  readonly expiresAt?: (event: Event) => number | undefined;
}

function defineTopic<Schema extends EventSchema>(
  name: string,
  schema: Schema,
  routing: Routing<v.InferOutput<Schema>>,
): Topic {
  return {
    name,
    members: new Set(routing.members),
    admit(value, namesUser) {
      const parsed = v.safeParse(schema, value, { abortEarly: true });
      if (!parsed.success) return rejection(parsed.issues[0]);
      const event = parsed.output;
      const destinations = routing.destinations(event, namesUser);
      if (namesUser && destinations.some(isPublicAndWhole)) {
        const message = 'the userId in its data would reach a public room';
        return { kind: 'rejected', code: 'private_field', message };
      }
      return {
        kind: 'admitted',
        destinations,
        priority: event.metadata?.priority ?? DEFAULT_PRIORITY,
        key: routing.key?.(event),
        expiresAt: routing.expiresAt?.(event),
      };
    },
  };
}

function isPublicAndWhole({ room, view }: Destination): boolean {
  return (
    view === 'whole' && (room === SYSTEM_ROOM || room === PRICE_UPDATES_ROOM || isMarketRoom(room))
  );
}

function isMarketRoom(room: string): boolean {
  return room.startsWith('price:') || room.startsWith('orderbook:') || room.startsWith('trade:');
}

const CODE_OF_MEMBER: Readonly<Record<string, RejectionCode>> = {
  type: 'type_invalid',
  symbol: 'symbol_invalid',
  userId: 'user_id_invalid',
  target: 'target_invalid',
  category: 'data_invalid',
  data: 'data_invalid',
  timestamp: 'timestamp_invalid',
  metadata: 'metadata_invalid',
};

function rejection(issue: v.BaseIssue<unknown>): Admission {
  const member = issue.path?.[0]?.key;
  const code = typeof member === 'string' ? CODE_OF_MEMBER[member] : undefined;
  return { kind: 'rejected', code: code ?? 'event_not_object', message: describeIssue(issue) };
}
