/** A bridge that retries what it likes, and a publisher without Kafka. */
import type { Priority } from '../../worker/protocol/events/events.ts';
import type { RoomBatch } from '../../worker/room/intake/room-batch.ts';
import {
  kafkaBatch,
  type PositionedSampleRecord,
  type SampleRecord,
  webhookBatch,
} from '../support/room-batch.ts';

const WEBHOOK_TOLERANCE = 300_000;

export interface Content {
  readonly key: number;
  readonly size: number;
  readonly priority: Priority;
  /** Until it expires, in ms. */
  readonly lifetime: number | undefined;
}

interface Partition {
  /** How often the topic was made. */
  incarnation: number;
  records: PositionedSampleRecord[];
  /** How many of them the room has answered for. */
  answered: number;
}

/** A batch that was sent without Kafka. */
interface Sent {
  readonly webhookId: string;
  readonly staleAt: number;
  readonly records: readonly SampleRecord[];
}

/** A batch, and what to do when it is answered. */
export interface Posting {
  readonly batch: RoomBatch;
  readonly answered: () => void;
}

export class Publishers {
  readonly #partitions = new Map<number, Partition>();
  #webhooks: Sent[] = [];
  #unanswered: Sent | undefined;
  #sent = 0;

  /** The next records of a partition, after `back` that were answered for already. */
  fromKafka(number: number, back: number, fresh: readonly Content[], now: number): Posting {
    const partition = this.#partition(number);
    const from = Math.max(0, partition.answered - back);
    for (const content of fresh) {
      const offset = partition.records.length;
      const id = `${number}.${partition.incarnation}.${offset}`;
      partition.records.push({
        ...record(0, id, content, now),
        position: { topic: 't', partition: number, offset, timestamp: now + this.#sent++ },
      });
    }
    const records = partition.records.slice(from).map((sent, index) => ({ ...sent, index }));
    return {
      batch: kafkaBatch(
        'c',
        records.filter((sent) => isLive(sent, now)),
      ),
      answered: () => {
        partition.answered = partition.records.length;
      },
    };
  }

  /** The topic is deleted, made anew, and counts from 0. */
  renumber(number: number): void {
    const partition = this.#partition(number);
    if (partition.records.length === 0) return;
    partition.incarnation++;
    partition.records = [];
    partition.answered = 0;
  }

  /** A batch with an id of its own; one that was not answered is sent again first. */
  webhook(fresh: readonly Content[], now: number): Posting {
    const id = `w${this.#sent++}`;
    const sent = this.#unanswered ?? {
      webhookId: id,
      staleAt: now + WEBHOOK_TOLERANCE,
      records: fresh.map((content, index) => record(index, `${id}.${index}`, content, now)),
    };
    this.#unanswered = sent;
    return {
      batch: webhookBatch(
        { webhookId: sent.webhookId, staleAt: sent.staleAt },
        sent.records.filter((record) => isLive(record, now)),
      ),
      answered: () => {
        this.#unanswered = undefined;
        this.#webhooks.push(sent);
      },
    };
  }

  /** Some batch again, while that is not refused at the door. */
  webhookAgain(which: number, now: number): Posting | undefined {
    this.#webhooks = this.#webhooks.filter(({ staleAt }) => staleAt > now);
    const sent = this.#webhooks[which % Math.max(1, this.#webhooks.length)];
    if (sent === undefined) return undefined;
    const { webhookId, staleAt, records } = sent;
    const batch = webhookBatch({ webhookId, staleAt: staleAt + (which % 3) }, records);
    return { batch, answered: () => {} };
  }

  #partition(number: number): Partition {
    const known = this.#partitions.get(number);
    if (known !== undefined) return known;
    const partition = { incarnation: 0, records: [], answered: 0 };
    this.#partitions.set(number, partition);
    return partition;
  }
}

function record(
  index: number,
  id: string,
  { key, size, priority, lifetime }: Content,
  now: number,
): SampleRecord {
  const name = `K${key}`;
  return {
    index,
    event: `{"id":"${id}","key":"${name}","pad":"${'x'.repeat(size)}"}`,
    key: name,
    expiresAt: lifetime === undefined ? undefined : now + lifetime,
    priority,
  };
}

/** What has expired is rejected, which is not what is tried here. */
function isLive({ expiresAt }: SampleRecord, now: number): boolean {
  return expiresAt === undefined || expiresAt > now;
}
