/**
 * The events as clients receive them. Their types are derived from the shapes and the table of the
 * protocol (`worker/protocol/events/event-shapes.ts`, `topics.ts`), which say what each event may hold and to
 * which rooms it goes.
 */
import type {
  EventsByType,
  EventType,
  Notification,
  OrderBookUpdate,
  PortfolioUpdate,
  PriceUpdate,
  SystemAlert,
  TradeNotification,
} from '../protocol/events/event-shapes.ts';
import type { EVENT_TOPICS, NOTIFICATIONS_TOPIC } from '../protocol/events/topics.ts';
import type { Times } from '../protocol/frames.ts';
import type { BareRoomClass, RoomClass } from '../protocol/rooms.ts';

export type {
  EventsByType,
  OrderBookUpdate,
  PortfolioUpdate,
  PriceUpdate,
  SystemAlert,
  TradeNotification,
};

/** An event of any type that has no topic of its own, such as `swap_completed`. */
export type CustomNotification = Omit<Notification, 'target' | 'timestamp'> & {
  readonly timestamp: number;
};

export type GatewayEvent = EventsByType[EventType] | CustomNotification;

/** The event of type `Type`. */
export type EventOfType<Type extends string> = Type extends EventType
  ? EventsByType[Type]
  : CustomNotification;

/** The class of the room that is called `Room`, as far as its name tells. */
type ClassOfRoom<Room extends string> = Room extends BareRoomClass
  ? Room
  : Room extends `${infer Class extends Exclude<RoomClass, 'custom'>}:${string}`
    ? Class
    : 'custom';

/** The types whose events go to rooms of a class. */
type TypeOfClass<Class extends RoomClass> = {
  [Type in EventType]: Class extends (typeof EVENT_TOPICS)[Type]['rooms'][number] ? Type : never;
}[EventType];

/** The events that rooms of a class hold. */
type EventOfClass<Class extends RoomClass> =
  | EventsByType[TypeOfClass<Class>]
  | (Class extends (typeof NOTIFICATIONS_TOPIC)['rooms'][number] ? CustomNotification : never);

/** The events that the room called `Room` holds, as far as its name tells. */
export type EventOfRoom<Room extends string> = string extends Room
  ? GatewayEvent
  : EventOfClass<ClassOfRoom<Room>>;

/** Where an event stood. */
export interface EventInfo {
  readonly room: string;
  readonly epoch: number;
  readonly seq: number;
  /** Whether it is part of a snapshot: the state at some time, and not what happened since. */
  readonly snapshot: boolean;
  /**
   * When it passed Kafka, the bridge, the Worker and its room, Unix ms, by the clock of each. It is there
   * if the client's `url` ends with `?trace=on`, where something is known, and never in a snapshot.
   */
  readonly times?: Times | undefined;
}
