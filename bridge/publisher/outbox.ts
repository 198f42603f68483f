/** From an event to what became of it: encodes and judges it, and has it sent. Both producers' core. */
import { Coalescer, type CoalescerOptions, type Outcome } from './coalescer.ts';
import { type EncodedEvent, encodeEvent } from './encode-event.ts';
import { PublishError } from './errors.ts';
import type { EventRecord, PublishRejection, PublishResult } from './producer.ts';

/** An event on its way, and the partition that its publisher asked for. */
export interface OutgoingEvent extends EncodedEvent {
  readonly partition: number | undefined;
}

/** What an event costs beside its text and key: Kafka's or JSON's framing, with room to spare. */
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
    const outcome = await this.#addFrom(() => record);
    if (outcome !== undefined) throw outcome;
  }

  /** @throws {PublishError} `batch_malformed` when it is no list. */
  async publishAll(records: readonly EventRecord[]): Promise<PublishResult> {
    const { length } = requireList(records);
    const adding = Array.from({ length }, (_, index) => this.#addFrom(() => records[index]));
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

  /** Whatever a caller has put there costs that record alone. */
  #addFrom(read: () => EventRecord | null | undefined): Promise<Outcome> {
    try {
      const record = read();
      if (typeof record === 'object' && record !== null) return this.#add(record);
      const outcome = new PublishError('event_not_object', 'there is no record here');
      return Promise.resolve(outcome);
    } catch (cause) {
      const message = 'a member of the record throws when it is read';
      return Promise.resolve(new PublishError('data_invalid', message, { cause }));
    }
  }

  #add({ topic, event, partition }: EventRecord): Promise<Outcome> {
    const encoded = encodeEvent(topic, event, this.#now());
    if (encoded instanceof PublishError) return Promise.resolve(encoded);
    const bytes = encoded.bytes + Buffer.byteLength(encoded.key) + OVERHEAD_BYTES;
    return this.#coalescer.add({ ...encoded, partition }, bytes);
  }
}

/** @throws {PublishError} */
export function requireList<List extends readonly unknown[]>(list: List): List {
  if (Array.isArray(list)) return list;
  throw new PublishError('batch_malformed', 'a list is expected');
}
