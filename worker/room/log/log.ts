/**
 * A room's log: events appended in order, numbered, and a bounded tail of them. It knows neither
 * where it is saved nor who reads it.
 *
 * Entries leave the tail from its old end, or from anywhere once expired. `floor` is the promise of
 * the tail: a reader at `floor` or later can be given everything that followed. An entry whose event
 * itself named its hour is missed by nobody, so its expiry does not raise the floor. `trimmed` is
 * what the bounds took: everything up to it is gone, while behind the floor something may live on.
 */
import type { Policy } from '../../policy.ts';
import type { Cursor, GapReason } from '../../protocol/frames.ts';
import { type Entry, newEntry } from './entry.ts';

/** However far away an event's own expiry is, in ms: a year. */
const LONGEST_LIFE = 366 * 86_400_000;

/** What a log is restored from. */
export interface SavedLog {
  readonly epoch: number;
  readonly head: number;
  readonly floor: number;
  readonly trimmed: number;
  /** 0, unless it was saved. */
  readonly conflatableFrom?: number;
  readonly entries: readonly Entry[];
}

/** How a reader joins: with all that followed `from`, or with the snapshot. */
export type Resume =
  | { readonly kind: 'replay'; readonly from: number }
  | { readonly kind: 'snapshot' }
  | { readonly kind: 'gap'; readonly reason: GapReason; readonly from: number };

export interface NewEvent {
  /** JSON text. */
  readonly event: string;
  readonly key: string | undefined;
  /** The event's own expiry, Unix ms. */
  readonly expiresAt: number | undefined;
}

export class Log {
  readonly epoch: number;
  readonly #policy: Policy;
  readonly #tail: Entry[] = [];
  readonly #latest = new Map<string, Entry>();
  #characters = 0;
  #latestCharacters = 0;
  /** How many entries of the tail name their own expiry. */
  #perishables = 0;
  #head: number;
  #floor: number;
  #trimmed: number;
  #conflatableFrom: number;

  constructor(policy: Policy, saved: SavedLog) {
    this.#policy = policy;
    this.epoch = saved.epoch;
    this.#head = saved.head;
    this.#floor = saved.floor;
    this.#trimmed = saved.trimmed;
    this.#conflatableFrom = saved.conflatableFrom ?? 0;
    for (const entry of saved.entries) this.#hold(entry);
  }

  /** The number of the newest entry ever appended, 0 before the first. */
  get head(): number {
    return this.#head;
  }

  /** From which number on a reader can be given everything that followed. */
  get floor(): number {
    return this.#floor;
  }

  /** Up to which number the bounds have taken everything. */
  get trimmed(): number {
    return this.#trimmed;
  }

  /** Whether the latest event per key stands for all before it. */
  get isKeyed(): boolean {
    return this.#policy.snapshot.kind === 'latest';
  }

  /** From which number on the latest per key is known of every key. */
  get conflatableFrom(): number {
    return this.#conflatableFrom;
  }

  /** The tail's entries, oldest first. */
  get entries(): readonly Entry[] {
    return this.#tail;
  }

  /** The newest entry of each key, oldest first. */
  get latest(): Entry[] {
    return [...this.#latest.values()];
  }

  append({ event, key, expiresAt }: NewEvent, now: number): Entry {
    const entry = newEntry(this.#head + 1, event, {
      key,
      expiresAt: Math.min(expiresAt ?? now + this.#policy.retention.age, now + LONGEST_LIFE),
      perishable: expiresAt !== undefined,
    });
    this.#head = entry.seq;
    this.#hold(entry);
    this.#trim(now);
    return entry;
  }

  /** Drops everything that has expired. */
  expire(now: number): void {
    const kept: Entry[] = [];
    for (const entry of this.#tail) {
      if (entry.expiresAt > now) kept.push(entry);
      else this.#release(entry);
    }
    this.#tail.length = 0;
    this.#tail.push(...kept);
  }

  /** What a reader is given that stands at `since`, or is new. */
  resume(since: Cursor | undefined, now: number): Resume {
    this.expire(now);
    if (since === undefined) return { kind: 'snapshot' };
    const { epoch, seq: from } = since;
    const isOther = epoch !== this.epoch && !this.isWholeFor(from);
    if (isOther || from > this.#head) return { kind: 'gap', reason: 'epoch', from };
    if (from < this.#floor) return { kind: 'gap', reason: 'trimmed', from };
    return { kind: 'replay', from };
  }

  /**
   * Whether a reader of another epoch that stands at `seq` misses nothing. A durable log gets its
   * epoch for good with its first event; who was told one before that has received nothing of any.
   */
  isWholeFor(seq: number): boolean {
    return this.#policy.log === 'durable' && seq === 0 && this.#floor === 0;
  }

  /** The tail's entries after `seq` that have not expired, oldest first. */
  entriesAfter(seq: number, now: number): Entry[] {
    return this.#tail.slice(this.#indexAfter(seq)).filter(({ expiresAt }) => expiresAt > now);
  }

  /** The newest entry of each key that came after `seq`, oldest first. */
  latestAfter(seq: number): Entry[] {
    // The newest are the map's last, so from the end it takes as many steps as there are hits.
    const latest = this.latest;
    let from = latest.length;
    while (from > 0 && (latest[from - 1]?.seq ?? 0) > seq) from--;
    return latest.slice(from);
  }

  /** What a new reader is shown: the state at the head. */
  snapshot(now: number): readonly Entry[] {
    const { snapshot } = this.#policy;
    if (snapshot.kind === 'latest') return this.latest;
    return this.entriesAfter(0, now).slice(-snapshot.events);
  }

  /** The tail's first index whose number is greater than `seq`. */
  #indexAfter(seq: number): number {
    let low = 0;
    let high = this.#tail.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#tail[middle]?.seq ?? 0) > seq) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  #hold(entry: Entry): void {
    if (entry.seq > this.#trimmed) {
      this.#tail.push(entry);
      this.#characters += entry.text.length;
      if (entry.perishable) this.#perishables++;
    }
    if (entry.key === undefined || this.#policy.snapshot.kind !== 'latest') return;
    // Deleted first, so that the map iterates in the order of the numbers.
    this.#latestCharacters += entry.text.length - (this.#latest.get(entry.key)?.text.length ?? 0);
    this.#latest.delete(entry.key);
    this.#latest.set(entry.key, entry);
    const { keys, keyCharacters } = this.#policy.retention;
    for (const [key, stalest] of this.#latest) {
      if (this.#latest.size <= keys && this.#latestCharacters <= keyCharacters) return;
      this.#conflatableFrom = Math.max(this.#conflatableFrom, stalest.seq);
      this.#latest.delete(key);
      this.#latestCharacters -= stalest.text.length;
    }
  }

  /** From the old end: what expired behind a longer-lived entry waits for `expire`. */
  #trim(now: number): void {
    if (this.#isOverfull() && this.#perishables > 0) this.expire(now);
    for (;;) {
      const oldest = this.#tail[0];
      if (oldest === undefined) return;
      const overfull = this.#isOverfull();
      if (!overfull && oldest.expiresAt > now) return;
      this.#tail.shift();
      this.#release(oldest);
      if (!overfull) continue;
      this.#trimmed = oldest.seq;
      this.#floor = Math.max(this.#floor, oldest.seq);
    }
  }

  #isOverfull(): boolean {
    const { entries, characters } = this.#policy.retention;
    return this.#tail.length > entries || this.#characters > characters;
  }

  /** Accounts for an entry that expired. */
  #release(entry: Entry): void {
    this.#characters -= entry.text.length;
    if (entry.perishable) this.#perishables--;
    else this.#floor = Math.max(this.#floor, entry.seq);
  }
}
