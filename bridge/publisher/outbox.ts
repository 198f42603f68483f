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
    const outcome = await this.#add(record);
    if (outcome !== undefined) throw outcome;
  }

  async publishAll(records: readonly EventRecord[]): Promise<PublishResult> {
    const outcomes = await Promise.all(records.map((record) => this.#add(record)));
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

  #add({ topic, event, partition }: EventRecord): Promise<Outcome> {
    const encoded = encodeEvent(topic, event, this.#now());
    if (encoded instanceof PublishError) return Promise.resolve(encoded);
    const bytes = encoded.bytes + Buffer.byteLength(encoded.key) + OVERHEAD_BYTES;
    return this.#coalescer.add({ ...encoded, partition }, bytes);
  }
}
