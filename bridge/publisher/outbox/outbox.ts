/** Encodes, judges and sends events, and reports what became of each. Both producers have one. */

import { PublishError } from '../errors.ts';
import type { EventRecord, PublishRejection, PublishResult } from '../producer.ts';
import { Coalescer, type CoalescerOptions, type Outcome } from './coalescer.ts';
import { type EncodedEvent, encodeEvent } from './encode-event.ts';

/** An event on its way, and the partition that its publisher asked for. */
export interface OutgoingEvent extends EncodedEvent {
  readonly partition: number | undefined;
}

/** What an event costs beside its text and key: the framing of Kafka or JSON, and some more. */
const OVERHEAD_BYTES = 128;

export class Outbox {
  readonly #coalescer: Coalescer<OutgoingEvent>;
  readonly #now: () => number;

  constructor(options: CoalescerOptions<OutgoingEvent>, now: () => number) {
    this.#coalescer = new Coalescer(options);
    this.#now = now;
  }

  /** @throws {PublishError} */
  async publish(record: EventRecord): Promise<void> {
    const outcome = await this.#add(record);
    if (outcome !== undefined) throw outcome;
  }

  /** @throws {PublishError} `batch_malformed` when it is given no list. */
  async publishAll(records: readonly EventRecord[]): Promise<PublishResult> {
    // A hole in a list is an entry too.
    const adding = Array.from(requireList(records), (record) => this.#add(record));
    const outcomes = await Promise.all(adding);
    const rejected: PublishRejection[] = [];
    for (const [index, outcome] of outcomes.entries()) {
      if (outcome === undefined) continue;
      rejected.push({ index, code: outcome.code, message: outcome.message });
    }
    return { accepted: outcomes.length - rejected.length, rejected };
  }

  /** Resolves once everything published has been answered. */
  idle(): Promise<void> {
    return this.#coalescer.idle();
  }

  #add(record: EventRecord | null | undefined): Promise<Outcome> {
    if (typeof record !== 'object' || record === null) {
      return Promise.resolve(new PublishError('event_not_object', 'there is no record here'));
    }
    const { topic, event, partition } = record;
    const encoded = encodeEvent(topic, event, this.#now());
    if (encoded instanceof PublishError) return Promise.resolve(encoded);
    const bytes = encoded.bytes + Buffer.byteLength(encoded.key) + OVERHEAD_BYTES;
    return this.#coalescer.add({ ...encoded, partition: partition ?? undefined }, bytes);
  }
}

/** @throws {PublishError} */
export function requireList<List extends readonly unknown[]>(list: List): List {
  if (Array.isArray(list)) return list;
  throw new PublishError('batch_malformed', 'a list is expected');
}
