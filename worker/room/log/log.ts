/**
 * A log: numbered entries in order, of which it keeps a bounded tail (`tail.ts`) and the latest of each key
 * (`latest.ts`). It knows neither where it is saved nor who reads it. A room's own log numbers what is
 * appended; a mirror accepts the numbers, and sometimes the new epoch, of the log that it follows.
 */
import type { Policy } from '../../policy.ts';
import { type Entry, newEntry } from './entry.ts';
import { LatestPerKey } from './latest.ts';
import { indexAfter, Tail } from './tail.ts';
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
  readonly #tail: Tail;
  readonly #latest: LatestPerKey;
  #epoch = 0;
  #head = 0;
  #isUnbroken = true;
  #snapshot = NO_SNAPSHOT;

  constructor(policy: Policy, saved: SavedLog, isMirror = false) {
    this.#policy = policy;
    this.#tail = new Tail(policy.retention);
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
    return this.#tail.floor;
  }

  /** The bounds have taken every entry up to this number. */
  get trimmed(): number {
    return this.#tail.trimmed;
  }

  /** What it holds, in characters. */
  get size(): number {
    return this.#tail.characters + this.#latest.characters;
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
    return this.#tail.entries;
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
    this.#tail.trim(now);
  }

  /** Takes over all that the log which it follows keeps, in the same epoch or a greater one. */
  refill(saved: SavedLog): void {
    if (saved.epoch < this.#epoch) {
      throw new RangeError(`epoch ${saved.epoch} is older than ${this.#epoch}`);
    }
    this.#snapshot = NO_SNAPSHOT;
    this.#restore(saved);
  }

  /** Keeps only a part of the tail, from 0 to 1 of its characters. */
  shorten(part: number): void {
    this.#tail.shorten(part);
  }

  /** Drops everything that has expired. It is called for each reader, so most calls do nothing. */
  expire(now: number): void {
    this.#tail.expire(now);
  }

  /** The tail's entries after `seq` that have not expired, oldest first. */
  entriesAfter(seq: number, now: number): Entry[] {
    return this.#tail.after(seq, now);
  }

  /** Whether any entry of the tail came after `seq` that has not expired. */
  hasAfter(seq: number, now: number): boolean {
    return this.#tail.hasAfter(seq, now);
  }

  /** The newest entry of each key that came after `seq`, oldest first. */
  latestAfter(seq: number): Entry[] {
    const { latest } = this;
    return latest.slice(indexAfter(latest, seq));
  }

  /** The entries after `seq` of the state that a new reader is sent, and of what followed it, oldest first. */
  stateAfter(seq: number, now: number): readonly Entry[] {
    if (!this.isKeyed) return this.entriesAfter(seq, now);
    const latest = this.snapshot(now);
    return latest.slice(indexAfter(latest, seq));
  }

  /**
   * What a new reader is sent: the state at the head. It is the same array for as long as the state
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
    const kept = new Set([...this.latest, ...this.entries]);
    return [...kept].sort((one, other) => one.seq - other.seq);
  }

  #restore(saved: SavedLog): void {
    this.#isUnbroken = saved.isUnbroken;
    this.#epoch = saved.epoch;
    this.#head = saved.head;
    this.#tail.clear(saved);
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
    this.#tail.hold(entry);
    if (entry.key !== undefined && this.isKeyed) this.#latest.hold(entry.key, entry);
  }
}
