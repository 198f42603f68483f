/**
 * The bounded tail of a log: its newest entries, oldest first. Entries leave it from its old end, or from
 * anywhere once they have expired. `floor` is the promise of the tail: a reader that stands at `floor` or
 * later can be given everything that followed. When an event itself said when it expires, nobody misses it
 * afterwards, so its expiry does not raise the floor. `trimmed` is what the bounds took: everything up to
 * it is gone, while between `trimmed` and `floor` some entries may still be there.
 */
import type { Policy } from '../../policy.ts';
import type { Entry } from './entry.ts';

export class Tail {
  readonly #bounds: Pick<Policy['retention'], 'entries' | 'characters'>;
  readonly #entries: Entry[] = [];
  #characters = 0;
  /** How many entries have an expiry that their event itself named. */
  #perishables = 0;
  /** Nothing expires before this, Unix ms. */
  #expiresFrom = Number.POSITIVE_INFINITY;
  #floor = 0;
  #trimmed = 0;

  constructor(bounds: Pick<Policy['retention'], 'entries' | 'characters'>) {
    this.#bounds = bounds;
  }

  /** Oldest first. */
  get entries(): readonly Entry[] {
    return this.#entries;
  }

  get characters(): number {
    return this.#characters;
  }

  get floor(): number {
    return this.#floor;
  }

  get trimmed(): number {
    return this.#trimmed;
  }

  /** Begins anew without an entry, where another tail stood. */
  clear({ floor, trimmed }: Pick<Tail, 'floor' | 'trimmed'>): void {
    this.#entries.length = 0;
    this.#characters = 0;
    this.#perishables = 0;
    this.#expiresFrom = Number.POSITIVE_INFINITY;
    this.#floor = floor;
    this.#trimmed = trimmed;
  }

  /** Takes in an entry that is newer than all others. One that the bounds have taken before is left out. */
  hold(entry: Entry): void {
    if (entry.seq <= this.#trimmed) return;
    this.#entries.push(entry);
    this.#characters += entry.text.length;
    this.#expiresFrom = Math.min(this.#expiresFrom, entry.expiresAt);
    if (entry.perishable) this.#perishables++;
  }

  /** Trims from the old end. What has expired behind an entry that lives longer waits for `expire`. */
  trim(now: number): void {
    if (this.#isOverfull() && this.#perishables > 0) this.expire(now);
    for (;;) {
      const oldest = this.#entries[0];
      if (oldest === undefined) return;
      const overfull = this.#isOverfull();
      if (!overfull && oldest.expiresAt > now) return;
      this.#entries.shift();
      this.#release(oldest);
      if (overfull) this.#noteTrimmed(oldest);
    }
  }

  /** Keeps only a part, from 0 to 1 of its characters. */
  shorten(part: number): void {
    const most = this.#characters * part;
    while (this.#characters > most) {
      const oldest = this.#entries.shift();
      if (oldest === undefined) return;
      this.#release(oldest);
      this.#noteTrimmed(oldest);
    }
  }

  /** Drops everything that has expired. */
  expire(now: number): void {
    if (now < this.#expiresFrom) return;
    this.#expiresFrom = Number.POSITIVE_INFINITY;
    const kept: Entry[] = [];
    for (const entry of this.#entries) {
      if (entry.expiresAt > now) {
        kept.push(entry);
        this.#expiresFrom = Math.min(this.#expiresFrom, entry.expiresAt);
      } else this.#release(entry);
    }
    this.#entries.length = 0;
    this.#entries.push(...kept);
  }

  /** The entries after `seq` that have not expired, oldest first. */
  after(seq: number, now: number): Entry[] {
    const newer = this.#entries.slice(indexAfter(this.#entries, seq));
    return newer.filter(({ expiresAt }) => expiresAt > now);
  }

  /** Whether any entry came after `seq` that has not expired. */
  hasAfter(seq: number, now: number): boolean {
    const newest = this.#entries.findLast((entry) => entry.seq <= seq || entry.expiresAt > now);
    return newest !== undefined && newest.seq > seq;
  }

  #isOverfull(): boolean {
    const { entries, characters } = this.#bounds;
    return this.#entries.length > entries || this.#characters > characters;
  }

  #noteTrimmed({ seq }: Entry): void {
    this.#trimmed = seq;
    this.#floor = Math.max(this.#floor, seq);
  }

  /** Accounts for an entry that has left. */
  #release(entry: Entry): void {
    this.#characters -= entry.text.length;
    if (entry.perishable) this.#perishables--;
    else this.#floor = Math.max(this.#floor, entry.seq);
  }
}

/** The first index of `entries`, which are in the order of their numbers, that is after `seq`. */
export function indexAfter(entries: readonly Entry[], seq: number): number {
  let low = 0;
  let high = entries.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((entries[middle]?.seq ?? 0) > seq) high = middle;
    else low = middle + 1;
  }
  return low;
}
