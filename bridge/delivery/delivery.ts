/**
 * Delivers what was cut from a partition: the body to the Worker, and what can never be delivered to
 * the dead letters. A tombstone, which is a record without a value, goes nowhere. A body that is too
 * large, or in which the Worker finds a malformed record, is halved, and the halves are sent in order,
 * until one record remains. Some nine more requests find one bad record of 500. A body whose envelope is
 * refused is never halved, because that condemns no record: the sender takes it for an outage.
 */
import { unreachable } from '../../worker/protocol/unreachable.ts';
import { type KafkaRecord, type Partition, partitionKey, type Refusal } from '../kafka/record.ts';
import type { Batcher, Body, Cut } from './batcher.ts';
import type { DeadLetters } from './dead-letter.ts';
import type { Sender } from './post/sender.ts';
import type { Stop } from './stop.ts';

export interface DeliveryObserver {
  delivered(partition: Partition, counts: { accepted: number; duplicates: number }): void;
  /** Records without a value were passed. */
  skipped(partition: Partition, tombstones: number): void;
}

/** The parts that a delivery needs of the classes of these names. */
export interface DeliveryPorts {
  readonly batcher: Pick<Batcher, 'compose'>;
  readonly sender: Pick<Sender, 'send'>;
  readonly deadLetters: Pick<DeadLetters, 'bury'>;
  readonly observer: DeliveryObserver;
}

export class Delivery {
  readonly #ports: DeliveryPorts;

  constructor(ports: DeliveryPorts) {
    this.#ports = ports;
  }

  /** Whether all of `cut` is in its rooms or among the dead letters; false only when stopped. */
  async deliver(partition: Partition, cut: Cut, stop: Stop): Promise<boolean> {
    const refused = [...cut.refused];
    if (cut.body !== undefined) {
      const sent = await this.#send(partition, cut.body, stop);
      if (sent === undefined) return false;
      refused.push(...sent);
    }
    if (refused.length > 0) {
      const buried = await this.#ports.deadLetters.bury(partition, refused.sort(byOffset), stop);
      if (!buried) return false;
    }
    if (cut.tombstones > 0) this.#ports.observer.skipped(partition, cut.tombstones);
    return true;
  }

  /** The records of `body` that the Worker refuses; undefined when stopped. */
  async #send(partition: Partition, body: Body, stop: Stop): Promise<Refusal[] | undefined> {
    const { records } = body;
    const sent = await this.#ports.sender.send(partitionKey(partition), body, stop);
    switch (sent.kind) {
      case 'stopped':
        return undefined;
      case 'accepted':
        this.#ports.observer.delivered(partition, sent);
        return sent.rejected.map(({ index, code, message }) => ({
          record: records[index] as KafkaRecord,
          code,
          message,
        }));
      case 'too_large':
        return this.#halve(partition, records, stop, {
          code: 'too_large',
          message: 'the record is too large for the gateway',
        });
      case 'malformed':
        return this.#halve(partition, records, stop, sent);
      default:
        return unreachable(sent);
    }
  }

  async #halve(
    partition: Partition,
    records: readonly KafkaRecord[],
    stop: Stop,
    { code, message }: { code: string; message: string },
  ): Promise<Refusal[] | undefined> {
    const [first] = records;
    if (first === undefined) return [];
    if (records.length === 1) return [{ record: first, code, message }];
    const refused: Refusal[] = [];
    const middle = Math.ceil(records.length / 2);
    for (const half of [records.slice(0, middle), records.slice(middle)]) {
      const body = this.#ports.batcher.compose(partition, half);
      const more = await this.#send(partition, body, stop);
      if (more === undefined) return undefined;
      refused.push(...more);
    }
    return refused;
  }
}

function byOffset(a: Refusal, b: Refusal): number {
  return Number(a.record.offset) - Number(b.record.offset);
}
