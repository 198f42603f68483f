/**
 * A log: numbered entries in order, and a bounded tail of them. It knows neither where it is saved
 * nor who reads it. A room's own log numbers what is appended; a mirror accepts the numbers, and
 * sometimes the new epoch, of the log that it follows.
 *
 * Entries leave the tail from its old end, or from anywhere once they have expired. `floor` is the
 * promise of the tail: a reader that stands at `floor` or later can be given everything that
 * followed. When an event itself said when it expires, nobody misses it afterwards, so its expiry
 * does not raise the floor. `trimmed` is what the bounds took: everything up to it is gone, while
 * between `trimmed` and `floor` some entries may still be there.
 */
import type { Policy } from '../../policy.ts';
import { type Entry, newEntry } from './entry.ts';
import { LatestPerKey } from './latest.ts';
import type { Timed } from './times.ts';

/** The longest life of an entry, in ms, however far away its event's own expiry is: a year. */
const LONGEST_LIFE = 366 * 86_400_000;

/** What a log is restored from. */
export interface SavedLog {
  readonly epoch: number;
  readonly head: number;
  readonly floor: number;
  readonly trimmed: number;
  /** 0 when it was not saved. */
  readonly conflatableFrom?: number | undefined;
  readonly entries: readonly Entry[];
  /** Whether no event was lost under another epoch: the log keeps all, or had none before this one. */
  readonly isUnbroken: boolean;
}

export interface NewEvent extends Timed {
  /** JSON text. */
  readonly event: string;
  readonly key: string | undefined;
  /** The event's own expiry, Unix ms. */
  readonly expiresAt: number | undefined;
}

interface TakenSnapshot {
  readonly head: number;
  readonly entries: readonly Entry[];
  /** When the first of the entries expires, Unix ms. */
  readonly validUntil: number;
}

/** A log has had no snapshot taken yet. */
const NO_SNAPSHOT: TakenSnapshot = { head: -1, entries: [], validUntil: 0 };

export class Log {
  /** Whether it follows another log: then a reader may have been given more than it has by now. */
  readonly isMirror: boolean;
  readonly #policy: Policy;
  readonly #tail: Entry[] = [];
  readonly #latest: LatestPerKey;
  #characters = 0;
  /** How many entries of the tail have an expiry that their event itself named. */
  #perishables = 0;
  /** Nothing in the tail expires before this, Unix ms. */
  #expiresFrom = Number.POSITIVE_INFINITY;
  #epoch = 0;
  #head = 0;
  #floor = 0;
  #trimmed = 0;
  #isUnbroken = true;
  #snapshot = NO_SNAPSHOT;

  constructor(policy: Policy, saved: SavedLog, isMirror = false) {
    this.#policy = policy;
    this.#latest = new LatestPerKey(policy.retention);
    this.isMirror = isMirror;
    this.#restore(saved);
  }

  /** Whether no event was lost under another epoch. */
  get isUnbroken(): boolean {
    return this.#isUnbroken;
  }

  /** The lifetime of the numbering. Epochs only grow. */
  get epoch(): number {
    return this.#epoch;
  }

  /** The number of the newest entry ever appended, 0 before the first. */
  get head(): number {
    return this.#head;
  }

  /** A reader that stands at this number or later can be given everything that followed. */
  get floor(): number {
    return this.#floor;
  }

  /** The bounds have taken every entry up to this number. */
  get trimmed(): number {
    return this.#trimmed;
  }

  /** What it holds, in characters. */
  get size(): number {
    return this.#characters + this.#latest.characters;
  }

  /** Whether the latest event per key stands for all before it. */
  get isKeyed(): boolean {
    return this.#policy.snapshot.kind === 'latest';
  }

  /** For a reader at this number or later, the latest entry of every changed key is known. */
  get conflatableFrom(): number {
    return this.#latest.completeFrom;
  }

  /** The tail's entries, oldest first. */
  get entries(): readonly Entry[] {
    return this.#tail;
  }

  /** The newest entry of each key, oldest first. */
  get latest(): Entry[] {
    return this.#latest.entries;
  }

  /** Numbers an event and appends it. */
  append({ event, key, expiresAt, kafkaAt, batchTimes }: NewEvent, now: number): Entry {
    const entry = newEntry(this.#head + 1, event, {
      key,
      expiresAt: Math.min(expiresAt ?? now + this.#policy.retention.age, now + LONGEST_LIFE),
      perishable: expiresAt !== undefined,
      kafkaAt,
      batchTimes,
    });
    this.accept(entry, now);
    return entry;
  }

  /**
   * Appends an entry that has its number already. Numbers may be missing before it, when another
   * log has left out what had expired.
   */
  accept(entry: Entry, now: number): void {
    if (entry.seq <= this.#head) {
      throw new RangeError(`entry ${entry.seq} does not follow ${this.#head}`);
    }
    this.#head = entry.seq;
    this.#hold(entry);
    this.#trim(now);
  }

  /** Takes over all that the log which it follows keeps, in the same epoch or a greater one. */
  refill(saved: SavedLog): void {
    if (saved.epoch < this.#epoch) {
      throw new RangeError(`epoch ${saved.epoch} is older than ${this.#epoch}`);
    }
    this.#tail.length = 0;
    this.#characters = 0;
    this.#perishables = 0;
    this.#expiresFrom = Number.POSITIVE_INFINITY;
    this.#snapshot = NO_SNAPSHOT;
    this.#restore(saved);
  }

  /** Keeps only a part of the tail, from 0 to 1 of its characters. */
  shorten(part: number): void {
    const most = this.#characters * part;
    while (this.#characters > most) {
      const oldest = this.#tail.shift();
      if (oldest === undefined) return;
      this.#release(oldest);
      this.#trimmed = oldest.seq;
      this.#floor = Math.max(this.#floor, oldest.seq);
    }
  }

  /** Drops everything that has expired. It is called for each reader, so most calls do nothing. */
  expire(now: number): void {
    if (now < this.#expiresFrom) return;
    this.#expiresFrom = Number.POSITIVE_INFINITY;
    const kept: Entry[] = [];
    for (const entry of this.#tail) {
      if (entry.expiresAt > now) {
        kept.push(entry);
        this.#expiresFrom = Math.min(this.#expiresFrom, entry.expiresAt);
      } else this.#release(entry);
    }
    this.#tail.length = 0;
    this.#tail.push(...kept);
  }

  /** The tail's entries after `seq` that have not expired, oldest first. */
  entriesAfter(seq: number, now: number): Entry[] {
    return this.#tail.slice(indexAfter(this.#tail, seq)).filter(({ expiresAt }) => expiresAt > now);
  }

  /** Whether any entry of the tail came after `seq` that has not expired. */
  hasAfter(seq: number, now: number): boolean {
    const newest = this.#tail.findLast((entry) => entry.seq <= seq || entry.expiresAt > now);
    return newest !== undefined && newest.seq > seq;
  }

  /** The newest entry of each key that came after `seq`, oldest first. */
  latestAfter(seq: number): Entry[] {
    const { latest } = this;
    return latest.slice(indexAfter(latest, seq));
  }

  /** The entries after `seq` of what a new reader is shown, and of what followed it, oldest first. */
  stateAfter(seq: number, now: number): readonly Entry[] {
    if (!this.isKeyed) return this.entriesAfter(seq, now);
    const latest = this.snapshot(now);
    return latest.slice(indexAfter(latest, seq));
  }

  /**
   * What a new reader is shown: the state at the head. It is the same array for as long as the state
   * is the same, so that whoever encodes it can remember that.
   */
  snapshot(now: number): readonly Entry[] {
    if (this.#snapshot.head !== this.#head || this.#snapshot.validUntil <= now) {
      this.#snapshot = this.#takeSnapshot(now);
    }
    return this.#snapshot.entries;
  }

  /** Everything that is kept, oldest first: the tail, and what only stands for its key any more. */
  get kept(): Entry[] {
    const kept = new Set([...this.latest, ...this.#tail]);
    return [...kept].sort((one, other) => one.seq - other.seq);
  }

  #restore(saved: SavedLog): void {
    this.#isUnbroken = saved.isUnbroken;
    this.#epoch = saved.epoch;
    this.#head = saved.head;
    this.#floor = saved.floor;
    this.#trimmed = saved.trimmed;
    this.#latest.clear(saved.conflatableFrom ?? 0);
    for (const entry of saved.entries) this.#hold(entry);
  }

  #takeSnapshot(now: number): TakenSnapshot {
    const { snapshot } = this.#policy;
    const head = this.#head;
    if (snapshot.kind === 'latest') {
      return { head, entries: this.latest, validUntil: Number.POSITIVE_INFINITY };
    }
    const entries = this.entriesAfter(0, now).slice(-snapshot.events);
    const validUntil = Math.min(...entries.map(({ expiresAt }) => expiresAt));
    return { head, entries, validUntil };
  }

  #hold(entry: Entry): void {
    if (entry.seq > this.#trimmed) {
      this.#tail.push(entry);
      this.#characters += entry.text.length;
      this.#expiresFrom = Math.min(this.#expiresFrom, entry.expiresAt);
      if (entry.perishable) this.#perishables++;
    }
    if (entry.key !== undefined && this.isKeyed) this.#latest.hold(entry.key, entry);
  }

  /** Trims from the old end. What has expired behind an entry that lives longer waits for `expire`. */
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

/** The first index of `entries`, which are in the order of their numbers, that is after `seq`. */
function indexAfter(entries: readonly Entry[], seq: number): number {
  let low = 0;
  let high = entries.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((entries[middle]?.seq ?? 0) > seq) high = middle;
    else low = middle + 1;
  }
  return low;
}
