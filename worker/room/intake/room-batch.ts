/**
 * The records of one batch that are one room's, as they travel from the Worker to the room's object.
 * A record is a tuple, because structured clone writes each key of each object: with objects, a call
 * cost twice as much.
 */
import type { Priority } from '../../protocol/events/events.ts';

export type RoomRecord = readonly [
  /** Its place in the batch. */
  index: number,
  /** JSON text, as clients see it. */
  event: string,
  /** Snapshots and conflation keep the latest event per key; undefined when every event counts. */
  key: string | undefined,
  /** Unix ms after which nobody may be sent the event; undefined when it does not say so itself. */
  expiresAt: number | undefined,
  priority: Priority,
];

/** A record with its place in Kafka. `timestamp` is Kafka's, Unix ms. */
export type PositionedRoomRecord = readonly [
  ...record: RoomRecord,
  topic: string,
  partition: number,
  offset: number,
  timestamp: number,
];

export type RoomBatch =
  | {
      readonly kind: 'kafka';
      /** Kafka's cluster id. */
      readonly source: string;
      /** When the bridge made the batch, Unix ms, if it says so. */
      readonly sentAt?: number | undefined;
      /** When the Worker received it, Unix ms. */
      readonly receivedAt?: number | undefined;
      readonly records: readonly PositionedRoomRecord[];
    }
  | {
      readonly kind: 'webhook';
      /** A fingerprint of the publisher's secret and its `webhook-id`. */
      readonly webhookId: string;
      /** Unix ms after which a replay of the id is refused anyway. */
      readonly staleAt: number;
      /** When the Worker received it, Unix ms. */
      readonly receivedAt?: number | undefined;
      readonly records: readonly RoomRecord[];
    };
