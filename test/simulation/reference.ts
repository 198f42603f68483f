/**
 * What the room should be: everything it ever answered for, by the plainest rules that say the same.
 * Entries are judged by their content's id, so an event under another's number is found out.
 */
import type { Policy } from '../../worker/policy.ts';
import type { RoomBatch, RoomRecord } from '../../worker/room/intake/room-batch.ts';
import { promise } from './violation.ts';

export interface Published {
  readonly seq: number;
  readonly id: string;
  readonly key: string;
  readonly characters: number;
  readonly appendedAt: number;
  readonly expiresAt: number;
  readonly perishable: boolean;
}

/** What of a reference a crash of a memory room goes back to. */
interface Remembered {
  head: number;
  latest: Map<string, Published>;
  reached: Map<string, { readonly timestamp: number; readonly offset: number }>;
  webhookIds: Map<string, number>;
}

/** How the memory of an object ends. */
export type Ending = 'sleep' | 'crash' | 'departure';

export class Reference {
  readonly policy: Policy;
  epoch: number;
  /** What was published in the current epoch's lineage, by number less one. */
  #entries: Published[] = [];
  /** What the bounds have left of them, newest last. */
  #kept: Published[] = [];
  /** Where a tail in memory began, at the last wake. */
  #tailFrom = 0;
  #now: Remembered = empty();
  #saved: Remembered = empty();
  /** What was ever told under a number, in whatever epoch. */
  readonly #told = new Map<string, string>();

  constructor(policy: Policy, epoch: number) {
    this.policy = policy;
    this.epoch = epoch;
  }

  get head(): number {
    return this.#now.head;
  }

  get isKeyed(): boolean {
    return this.policy.snapshot.kind === 'latest';
  }

  get isDurable(): boolean {
    return this.policy.log === 'durable';
  }

  entry(seq: number): Published {
    const entry = this.#entries[seq - 1];
    promise(entry !== undefined, () => `number ${seq} was never published`);
    return entry;
  }

  /** What should be appended of a batch, and which of its records were here before. */
  take(batch: RoomBatch, now: number): number[] {
    const duplicates: number[] = [];
    if (batch.kind === 'webhook') {
      const known = this.#now.webhookIds.has(batch.webhookId);
      this.#now.webhookIds.set(batch.webhookId, batch.staleAt);
      for (const record of batch.records) {
        if (known) duplicates.push(record[0]);
        else this.#append(record, now);
      }
      return duplicates;
    }
    for (const record of batch.records) {
      const [index, event, key, expiresAt, priority, topic, partition, offset, timestamp] = record;
      const place = `${topic} ${partition}`;
      const reached = this.#now.reached.get(place);
      if (reached !== undefined && offset <= reached.offset && timestamp <= reached.timestamp) {
        duplicates.push(index);
        continue;
      }
      this.#now.reached.set(place, { offset, timestamp });
      this.#append([index, event, key, expiresAt, priority], now);
    }
    return duplicates;
  }

  /** The state at the head, as a snapshot should show it. */
  snapshot(now: number): number[] {
    const { snapshot } = this.policy;
    if (snapshot.kind === 'latest') return [...this.#now.latest.values()].map(({ seq }) => seq);
    const live = this.#kept.filter(({ expiresAt }) => expiresAt > now);
    return live.slice(-snapshot.events).map(({ seq }) => seq);
  }

  /** What is left in `(after, head]` of a state at `head` of which members have seen what came before. */
  stateIn(after: number, head: number, now: number): number[] {
    const left =
      this.policy.snapshot.kind === 'latest'
        ? [...this.#now.latest.values()]
        : this.#kept.filter(({ expiresAt }) => expiresAt > now);
    return left.map(({ seq }) => seq).filter((seq) => seq > after && seq <= head);
  }

  /** How much the latest entry of each key is together, in characters. */
  get latestCharacters(): number {
    return [...this.#now.latest.values()].reduce((sum, { characters }) => sum + characters, 0);
  }

  /** The numbers in `(from, to]` that have not expired by themselves. */
  owed(from: number, to: number, now: number): Published[] {
    return this.#entries
      .slice(from, to)
      .filter(({ perishable, expiresAt }) => !perishable || expiresAt > now);
  }

  /** Whether the bounds may have taken something that a reader at `from` has not. */
  mayHaveTrimmed(from: number, now: number): boolean {
    const { entries, characters, age } = this.policy.retention;
    const after = this.#entries.slice(from);
    return (
      after.length > entries ||
      after.reduce((sum, entry) => sum + entry.characters, 0) > characters ||
      after.some(({ appendedAt, perishable }) => !perishable && now - appendedAt >= age) ||
      // A tail in memory does not outlive a sleep.
      from < this.#tailFrom
    );
  }

  /** The room has saved all that there is. */
  noteSaved(): void {
    this.#saved = copy(this.#now);
  }

  /** The room begins anew, from its disk and with or without its sockets. */
  noteWake(kind: Ending, epoch: number, head: number, hadMembers: boolean): void {
    const before = this.epoch;
    const lost = this.#now.head - this.#saved.head;
    if (kind === 'crash' && !this.isDurable && lost > 0) {
      promise(epoch > before, () => `${lost} events were lost, and epoch ${epoch} does not say so`);
      this.#now = copy(this.#saved);
      this.#entries = this.#entries.slice(0, this.#now.head);
    } else if (hadMembers || (this.head > 0 && (kind !== 'crash' || this.isDurable))) {
      promise(epoch === before, () => `epoch ${before} became ${epoch} for nothing`);
    } else {
      promise(epoch >= before, () => `epoch ${before} became ${epoch}`);
    }
    promise(head === this.head, () => `the head was ${this.head} and is ${head} after a ${kind}`);
    if (!this.isDurable && kind !== 'departure') {
      this.#kept = [];
      this.#tailFrom = head;
    }
    this.epoch = epoch;
  }

  #append([, event, key, expiresAt]: RoomRecord, now: number): void {
    const { retention } = this.policy;
    const { id }: { id: string } = JSON.parse(event);
    const seq = ++this.#now.head;
    const entry: Published = {
      seq,
      id,
      key: key ?? '',
      characters: `{"seq":${seq},"event":${event}}`.length,
      appendedAt: now,
      expiresAt: expiresAt ?? now + retention.age,
      perishable: expiresAt !== undefined,
    };
    promise(!this.#entries.some((other) => other.id === id), () => `${id} is in the log twice`);
    const number = `${this.epoch}:${seq}`;
    const told = this.#told.get(number) ?? id;
    promise(told === id, () => `${number} was ${told}, and is ${id}`);
    this.#told.set(number, id);
    this.#entries.push(entry);
    this.#keep(entry, now);
    if (this.isKeyed) this.#keepLatest(entry);
  }

  #keep(entry: Published, now: number): void {
    const { entries, characters } = this.policy.retention;
    this.#kept = [...this.#kept, entry].filter(({ expiresAt }) => expiresAt > now);
    const total = () => this.#kept.reduce((sum, kept) => sum + kept.characters, 0);
    while (this.#kept.length > entries || total() > characters) this.#kept.shift();
  }

  #keepLatest(entry: Published): void {
    const { keys, keyCharacters } = this.policy.retention;
    const { latest } = this.#now;
    latest.delete(entry.key);
    latest.set(entry.key, entry);
    const total = () => [...latest.values()].reduce((sum, kept) => sum + kept.characters, 0);
    for (const key of [...latest.keys()]) {
      if (latest.size <= keys && total() <= keyCharacters) break;
      latest.delete(key);
    }
  }
}

function empty(): Remembered {
  return { head: 0, latest: new Map(), reached: new Map(), webhookIds: new Map() };
}

function copy({ head, latest, reached, webhookIds }: Remembered): Remembered {
  return {
    head,
    latest: new Map(latest),
    reached: new Map(reached),
    webhookIds: new Map(webhookIds),
  };
}
