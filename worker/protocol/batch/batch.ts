/**
 * The batch: what the bridge POSTs to `/v1/events`, and what the Worker answers. Field names are
 * those of the Kafka REST proxy; `value` is the record's JSON, embedded as it is.
 *
 *   {"source": "<cluster id>", "sentAt": 1703123456791, "records": [
 *     {"topic": "price.updates", "partition": 0, "offset": 42, "timestamp": 1703123456789,
 *      "key": "BTC-USDC", "value": {"type": "price_update", …}}, …]}
 *
 * A publisher without Kafka leaves `source`, `partition` and `offset` out of the whole batch.
 */
import * as v from 'valibot';
import { REJECTION_CODES } from '../codes.ts';

/** The bounds of one batch. A larger batch is answered 413, and the sender splits it. */
export const MAX_BATCH_RECORDS = 500;
export const MAX_BATCH_BYTES = 1024 * 1024;
/** Kafka's own bound on a topic's name is 249. */
const MAX_TOPIC_LENGTH = 249;
export const MAX_SOURCE_LENGTH = 64;

// Each is one check instead of a pipe of three, because every record of every batch passes them.
const count = v.custom<number>(
  (value) => Number.isSafeInteger(value) && Number(value) >= 0,
  'expected a whole number',
);
const topic = v.custom<string>(
  (value) => typeof value === 'string' && value.length > 0 && value.length <= MAX_TOPIC_LENGTH,
  'expected the name of a topic',
);
/** Kafka's key. It is for people who read a batch: the event itself says where it goes. */
const key = v.optional(v.unknown());

/** A record with its Kafka position. `timestamp` is Kafka's, Unix ms. */
const positionedRecord = v.object({
  topic,
  partition: count,
  offset: count,
  timestamp: count,
  key,
  value: v.unknown(),
});

/** A position means nothing without a `source`, so no part of one may be there. */
const unpositionedRecord = v.object({
  topic,
  partition: v.optional(v.never('a position needs a source')),
  offset: v.optional(v.never('a position needs a source')),
  timestamp: v.optional(count),
  key,
  value: v.unknown(),
});

const records = <Item extends v.GenericSchema>(item: Item) => v.pipe(v.array(item), v.minLength(1));

export const positionedBatchSchema = v.object({
  source: v.pipe(v.string(), v.nonEmpty(), v.maxLength(MAX_SOURCE_LENGTH)),
  /** When the bridge made the batch, Unix ms. */
  sentAt: v.optional(count),
  records: records(positionedRecord),
});

export const unpositionedBatchSchema = v.object({ records: records(unpositionedRecord) });

export type PositionedBatch = v.InferOutput<typeof positionedBatchSchema>;
export type UnpositionedBatch = v.InferOutput<typeof unpositionedBatchSchema>;

/** A record that is refused for good. The bridge dead-letters it. */
const rejectionSchema = v.object({
  /** Its place in the batch's `records`, from 0. */
  index: count,
  code: v.picklist(REJECTION_CODES),
  message: v.string(),
});
export type Rejection = v.InferOutput<typeof rejectionSchema>;

/** 200: every room has taken its events. accepted + duplicates + rejected.length = records.length */
export const batchAnswerSchema = v.object({
  accepted: count,
  duplicates: count,
  rejected: v.array(rejectionSchema),
});
export type BatchAnswer = v.InferOutput<typeof batchAnswerSchema>;
