/**
 * Which event comes by which Kafka topic, and to which rooms it goes: one table. worker/ARCHITECTURE.md
 * says what an event type needs beside an entry here.
 */
import * as v from 'valibot';
import type { RejectionCode } from '../codes.ts';
import { describeIssue } from '../describe-issue.ts';
import { nameOfRoom, normalForm, ROOM_ACCESS, type RoomClass } from '../rooms.ts';
import type { EventType, Priority } from './event-shapes.ts';
import { EVENT_SCHEMAS, notificationSchema } from './events.ts';

/**
 * Where a copy of an event goes. `whole`: as it came. `tape`: with no more of its `data` than a
 * public trade tape shows, and without the user.
 */
export interface Destination {
  readonly room: string;
  readonly class: RoomClass;
  readonly view: 'whole' | 'tape';
}

export type Admission =
  | {
      readonly kind: 'admitted';
      readonly destinations: readonly Destination[];
      readonly priority: Priority;
      /** Snapshots and conflation keep the latest event per key; undefined when every event counts. */
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

export interface Topic<Rooms extends RoomClass = RoomClass> {
  readonly name: string;
  /** The classes of the rooms that its events may go to. */
  readonly rooms: readonly Rooms[];
  /** The fields of an event that reach a client, in the order in which they are sent. */
  readonly fields: ReadonlySet<string>;
  /**
   * Validates a parsed event and says where it goes.
   * @param namesUser whether the field `userId` stands anywhere in its `data`.
   */
  readonly admit: (value: unknown, namesUser: boolean) => Admission;
}

/** The priority of an event that does not state one. */
const DEFAULT_PRIORITY: Priority = 'medium';

/** The topic of each event type that has one: one entry for each schema in `EVENT_SCHEMAS`. */
export const EVENT_TOPICS = {
  price_update: defineTopic('price.updates', EVENT_SCHEMAS.price_update, {
    rooms: ['price', 'price_updates'],
    fields: ['type', 'symbol', 'data', 'timestamp', 'metadata'],
    destinations: ({ symbol }) => [to('price', symbol), to('price_updates')],
    key: ({ symbol }) => normalForm(symbol),
  }),
  order_book_update: defineTopic('order.book.updates', EVENT_SCHEMAS.order_book_update, {
    rooms: ['orderbook'],
    fields: ['type', 'symbol', 'data', 'timestamp', 'metadata'],
    destinations: ({ symbol }) => [to('orderbook', symbol)],
    key: ({ symbol }) => normalForm(symbol),
  }),
  trade_notification: defineTopic('trade.notifications', EVENT_SCHEMAS.trade_notification, {
    rooms: ['trade', 'user'],
    fields: ['type', 'symbol', 'userId', 'data', 'timestamp', 'metadata'],
    destinations: ({ symbol, userId }, namesUser) =>
      userId === undefined || userId === null
        ? [to('trade', symbol, namesUser ? 'tape' : 'whole')]
        : [to('trade', symbol, 'tape'), to('user', userId)],
  }),
  portfolio_update: defineTopic('portfolio.updates', EVENT_SCHEMAS.portfolio_update, {
    rooms: ['user'],
    fields: ['type', 'userId', 'data', 'timestamp', 'metadata'],
    destinations: ({ userId }) => [to('user', userId)],
  }),
  system_alert: defineTopic('system.alerts', EVENT_SCHEMAS.system_alert, {
    rooms: ['system', 'user'],
    fields: ['type', 'userId', 'data', 'timestamp', 'metadata'],
    destinations: ({ userId }) => [
      userId === undefined || userId === null ? to('system') : to('user', userId),
    ],
    expiresAt: ({ data }) => data.expiresAt ?? undefined,
  }),
} as const satisfies Readonly<Record<EventType, Topic>>;

/** The topic of every other type, whose events name their target. */
export const NOTIFICATIONS_TOPIC = defineTopic('notifications', notificationSchema, {
  rooms: ['user', 'custom', 'system'],
  fields: ['type', 'category', 'data', 'timestamp', 'metadata'],
  destinations: ({ target }) => {
    switch (target.type) {
      case 'user':
        return [to('user', target.id)];
      case 'room':
        return [to('custom', target.id)];
      case 'all':
        return [to('system')];
    }
  },
});

/** All topics by name. */
export const TOPICS: ReadonlyMap<string, Topic> = new Map(
  [...Object.values(EVENT_TOPICS), NOTIFICATIONS_TOPIC].map((topic) => [topic.name, topic]),
);

/** What every schema of the table has, so that `admit` can be written once. */
type EventSchema = v.GenericSchema<
  unknown,
  {
    data: Record<string, unknown>;
    metadata?: { priority?: Priority | null | undefined } | null | undefined;
  }
>;

interface Routing<Event, Rooms extends RoomClass> {
  readonly rooms: readonly Rooms[];
  readonly fields: readonly string[];
  readonly destinations: (event: Event, namesUser: boolean) => readonly DestinationIn<Rooms>[];
  readonly key?: (event: Event) => string;
  readonly expiresAt?: (event: Event) => number | undefined;
}

type DestinationIn<Rooms extends RoomClass> = Destination & { readonly class: Rooms };

function defineTopic<Schema extends EventSchema, const Rooms extends RoomClass>(
  name: string,
  schema: Schema,
  { rooms, fields, destinations, key, expiresAt }: Routing<v.InferOutput<Schema>, Rooms>,
): Topic<Rooms> {
  return {
    name,
    rooms,
    fields: new Set(fields),
    admit(value, namesUser) {
      const parsed = v.safeParse(schema, value, { abortEarly: true });
      if (!parsed.success) return rejection(parsed.issues[0]);
      const event = parsed.output;
      const copies = destinations(event, namesUser);
      if (namesUser && copies.some(isPublicAndWhole)) {
        const message = 'the userId in its data would reach a public room';
        return { kind: 'rejected', code: 'private_field', message };
      }
      return {
        kind: 'admitted',
        destinations: copies,
        priority: event.metadata?.priority ?? DEFAULT_PRIORITY,
        key: key?.(event),
        expiresAt: expiresAt?.(event),
      };
    },
  };
}

/** A copy for a room, named by its class and, where it has one, its symbol or id. */
function to<Rooms extends RoomClass>(
  room: Rooms,
  id = '',
  view: Destination['view'] = 'whole',
): DestinationIn<Rooms> {
  return { room: nameOfRoom({ class: room, id }), class: room, view };
}

function isPublicAndWhole(destination: Destination): boolean {
  return destination.view === 'whole' && ROOM_ACCESS[destination.class] === 'anyone';
}

const CODE_OF_FIELD: Readonly<Record<string, RejectionCode>> = {
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
  const field = issue.path?.[0]?.key;
  const code = typeof field === 'string' ? CODE_OF_FIELD[field] : undefined;
  return { kind: 'rejected', code: code ?? 'event_not_object', message: describeIssue(issue) };
}
