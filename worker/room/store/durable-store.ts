/**
 * A store whose log is in SQLite before its sender gets an answer: entries, positions and counters
 * are in one row, so in one transaction. An append rewrites the newest chunk while that is small and
 * begins another when it is not, in the slot of a chunk that was trimmed: each append writes one
 * row. Expired entries are never sent; an alarm, at most hourly, sweeps them from the disk. The
 * newest chunk outlives its entries, because it holds the state.
 */
import type { Policy } from '../../policy.ts';
import { decodeEntries, type Entry, encodeEntries } from '../log/entry.ts';
import type { Chunks } from './chunks.ts';
import { decodeState, encodeState, nextEpoch, openState, type RoomState } from './state.ts';
import type { Store } from './store.ts';

/** To rewrite a row up to this size costs less than to write another, in characters. */
const CHUNK_CHARACTERS = 16 * 1024;
/** An alarm costs a written row, and what has expired is hidden anyway, so sweeps are rare; in ms. */
const LEAST_TIME_BETWEEN_SWEEPS = 3_600_000;

interface ChunkSpan {
  readonly slot: number;
  readonly first: number;
  readonly last: number;
  readonly characters: number;
}

export class DurableStore implements Store {
  readonly state: RoomState;
  /** Everything is saved at once, so nothing is ever due. */
  readonly dueAt = Number.POSITIVE_INFINITY;
  readonly #chunks: Chunks;
  readonly #setAlarm: (at: number) => void;
  /** Oldest first. */
  #spans: ChunkSpan[] = [];
  #alarmAt: number | undefined;

  /** @param memberEpoch the epoch that hibernating members of a room without a table were told. */
  constructor(
    policy: Policy,
    chunks: Chunks,
    setAlarm: (at: number) => void,
    memberEpoch: number | undefined,
    now: number,
  ) {
    this.#chunks = chunks;
    this.#setAlarm = setAlarm;
    const saved = chunks.read().map(({ slot, last, entries, state }) => ({
      span: { slot, last, characters: entries.length },
      entries: decodeEntries(entries),
      state,
    }));
    this.#spans = saved.map(({ span, entries }) => ({
      ...span,
      first: entries[0]?.seq ?? span.last + 1,
    }));
    const newestState = saved.at(-1)?.state;
    const newest = newestState === undefined ? undefined : decodeState(newestState);
    this.#alarmAt = newest?.alarmAt;
    this.state = openState({
      policy,
      saved: newest,
      epoch: newest?.epoch ?? memberEpoch ?? nextEpoch(0, now),
      floor: newest?.floor ?? 0,
      trimmed: newest?.trimmed ?? 0,
      entries: saved.flatMap(({ entries }) => entries),
    });
    this.state.log.expire(now);
  }

  appended(now: number): void {
    const { log } = this.state;
    const newest = this.#spans.at(-1);
    const first = (newest?.last ?? 0) + 1;
    const fresh = encodeFrom(log.entries, first);
    this.#planSweep(now);
    const fits = newest !== undefined && newest.characters + fresh.length < CHUNK_CHARACTERS;
    // The newest chunk holds the state, so without a fresh entry there must be no second chunk that
    // has the same head.
    if (newest !== undefined && (fits || fresh === '')) {
      this.#spans.pop();
      this.#put(newest.slot, newest.first, encodeFrom(log.entries, newest.first), now);
    } else {
      this.#put(this.#freeSlot(), first, fresh, now);
    }
  }

  get alarmAt(): number | undefined {
    return this.#alarmAt;
  }

  keepEpoch(now: number): void {
    if (this.#spans.length === 0) this.appended(now);
  }

  cleared(): void {
    this.#spans = [];
    this.#alarmAt = undefined;
  }

  run(): void {
    // Nothing is ever due.
  }

  saveAll(): void {
    // Everything is saved at once.
  }

  sweep(now: number): void {
    const { log } = this.state;
    const before = log.entries.length;
    log.expire(now);
    // The alarm went off for another part of the object.
    if (this.#alarmAt !== undefined && now < this.#alarmAt && log.entries.length === before) {
      this.#setAlarm(this.#alarmAt);
      return;
    }
    this.#alarmAt = undefined;
    const newest = this.#spans.at(-1);
    if (newest === undefined) return;
    for (const span of this.#spans.filter((span) => span !== newest && this.#isEmpty(span))) {
      this.#chunks.remove(span.slot);
      this.#spans.splice(this.#spans.indexOf(span), 1);
    }
    this.#planSweep(now);
    this.#spans.pop();
    this.#put(newest.slot, newest.first, encodeFrom(log.entries, newest.first), now);
  }

  #put(slot: number, first: number, entries: string, now: number): void {
    const state = encodeState(this.state, now, { alarmAt: this.#alarmAt });
    const last = this.state.log.head;
    this.#chunks.put({ slot, last, entries, state });
    this.#spans.push({ slot, first, last, characters: entries.length });
  }

  /** The slot of a chunk that has nothing left in the tail, or a new one. */
  #freeSlot(): number {
    const empty = this.#spans.findIndex((span) => this.#isEmpty(span));
    const [reused] = empty === -1 ? [] : this.#spans.splice(empty, 1);
    if (reused !== undefined) return reused.slot;
    return this.#spans.reduce((next, { slot }) => Math.max(next, slot + 1), 0);
  }

  #isEmpty({ first, last }: ChunkSpan): boolean {
    return !this.state.log.entries.some(({ seq }) => seq >= first && seq <= last);
  }

  /** Sets an alarm at the oldest expiry, unless one is set that goes off in time. */
  #planSweep(now: number): void {
    const earliest = now + LEAST_TIME_BETWEEN_SWEEPS;
    const planned = this.#alarmAt;
    if (planned !== undefined && planned > now && planned <= earliest) return;
    const soonest = this.state.log.entries.reduce(
      (least, { expiresAt }) => Math.min(least, expiresAt),
      Number.POSITIVE_INFINITY,
    );
    const due = Math.max(soonest, earliest);
    if (due === Number.POSITIVE_INFINITY) return;
    if (planned !== undefined && planned > now && planned <= due) return;
    this.#alarmAt = due;
    this.#setAlarm(due);
  }
}

/** Encodes the entries of a tail from number `first` on, as a chunk holds them. */
function encodeFrom(tail: readonly Entry[], first: number): string {
  let from = tail.length;
  while (from > 0 && (tail[from - 1]?.seq ?? 0) >= first) from--;
  return encodeEntries(tail.slice(from));
}
