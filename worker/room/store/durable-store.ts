/**
 * A log that is in SQLite before its sender gets an answer: entries, positions and counters in one
 * row, so in one transaction. An append rewrites the newest chunk while that is small and starts
 * another when it is not, in the slot of one that was trimmed: one row written per append. Expired
 * entries are never shown; an alarm, at most hourly, sweeps them from the disk. The newest chunk
 * outlives its entries, for its state.
 */
import type { Policy } from '../../policy.ts';
import { Positions } from '../intake/positions.ts';
import { WebhookIds } from '../intake/webhook-ids.ts';
import { decodeEntries, type Entry, encodeEntries } from '../log/entry.ts';
import { Log } from '../log/log.ts';
import type { Chunks } from './chunks.ts';
import type { LogStore } from './log-store.ts';
import { decodeState, encodeState, nextEpoch, type RoomState } from './state.ts';

/** Rewriting a row this small costs less than writing another. */
const CHUNK_CHARACTERS = 16 * 1024;
/** An alarm is a row written, and what expired is hidden anyway. */
const LEAST_TIME_BETWEEN_SWEEPS = 3_600_000;

interface ChunkSpan {
  readonly slot: number;
  readonly first: number;
  readonly last: number;
  readonly characters: number;
}

export class DurableStore implements LogStore {
  readonly state: RoomState;
  readonly #chunks: Chunks;
  readonly #setAlarm: (at: number) => void;
  /** Oldest first. */
  #spans: ChunkSpan[] = [];
  #alarmAt: number | undefined;

  /** @param memberEpoch what hibernating members of a room without a table were told. */
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
    this.state = {
      log: new Log(policy, {
        epoch: newest?.epoch ?? memberEpoch ?? nextEpoch(0, now),
        head: newest?.head ?? 0,
        floor: newest?.floor ?? 0,
        trimmed: newest?.trimmed ?? 0,
        entries: saved.flatMap(({ entries }) => entries),
      }),
      positions: new Positions(newest?.positions),
      webhookIds: new WebhookIds(newest?.webhookIds),
    };
    this.state.log.expire(now);
  }

  appended(now: number): void {
    const { log } = this.state;
    const newest = this.#spans.at(-1);
    const first = (newest?.last ?? 0) + 1;
    const fresh = encodeFrom(log.entries, first);
    this.#planSweep(now);
    const fits = newest !== undefined && newest.characters + fresh.length < CHUNK_CHARACTERS;
    // With nothing fresh there must be no second chunk of the same head: the newest tells the state.
    if (newest !== undefined && (fits || fresh === '')) {
      this.#spans.pop();
      this.#put(newest.slot, newest.first, encodeFrom(log.entries, newest.first), now);
    } else {
      this.#put(this.#takeSlot(), first, fresh, now);
    }
  }

  sweep(now: number): void {
    const { log } = this.state;
    log.expire(now);
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
  #takeSlot(): number {
    const empty = this.#spans.findIndex((span) => this.#isEmpty(span));
    const [reused] = empty === -1 ? [] : this.#spans.splice(empty, 1);
    if (reused !== undefined) return reused.slot;
    return this.#spans.reduce((next, { slot }) => Math.max(next, slot + 1), 0);
  }

  #isEmpty({ first, last }: ChunkSpan): boolean {
    return !this.state.log.entries.some(({ seq }) => seq >= first && seq <= last);
  }

  /** Sees to it that an alarm is set at the oldest expiry, but for one that is set already. */
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

/** The entries of a tail whose number is `first` or greater, as a chunk holds them. */
function encodeFrom(tail: readonly Entry[], first: number): string {
  let from = tail.length;
  while (from > 0 && (tail[from - 1]?.seq ?? 0) >= first) from--;
  return encodeEntries(tail.slice(from));
}
