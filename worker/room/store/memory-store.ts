/**
 * A log that lives in memory and is saved when idle: writes cost, and each holds every frame back
 * until it is confirmed. There is no hook before hibernation or a crash, so the first append of an
 * active period writes `dirty`, and three idle seconds later a timer saves epoch, head, positions
 * and the latest entry per key, and clears it. Waking dirty means that a tail was lost: the log
 * starts a new, greater epoch.
 */
import type { Policy } from '../../policy.ts';
import { Positions } from '../intake/positions.ts';
import { WebhookIds } from '../intake/webhook-ids.ts';
import { decodeEntries, type Entry, encodeEntries } from '../log/entry.ts';
import { Log } from '../log/log.ts';
import type { Chunks } from './chunks.ts';
import type { LogStore } from './log-store.ts';
import { decodeState, encodeState, nextEpoch, type RoomState } from './state.ts';

/** How long nothing is appended before the room is saved, in ms. */
export const IDLE_TIME = 3_000;
/** The slot of the state; the latest entries are in those after it. */
const STATE_SLOT = 0;
/** A row is at most 2 MB; a character at most three bytes, and one entry may come on top. */
const CHUNK_CHARACTERS = 256 * 1024;

export interface Timers {
  readonly now: () => number;
  readonly setTimeout: (callback: () => void, ms: number) => unknown;
}

export class MemoryStore implements LogStore {
  readonly state: RoomState;
  readonly #chunks: Chunks;
  readonly #timers: Timers;
  /** What a crash would leave: the state as saved last. */
  #saved: string;
  /** How many slots after the first hold the latest entries as saved. */
  #slots: number;
  #dirty = false;
  #appendedAt = 0;

  /** @param memberEpoch what hibernating members of a room without a table were told. */
  constructor(policy: Policy, chunks: Chunks, memberEpoch: number | undefined, timers: Timers) {
    this.#chunks = chunks;
    this.#timers = timers;
    const rows = chunks.read();
    const stateRow = rows.find(({ slot }) => slot === STATE_SLOT);
    const saved = stateRow === undefined ? undefined : decodeState(stateRow.state);
    this.#slots = saved?.slots ?? 0;
    const now = timers.now();
    const head = saved?.head ?? 0;
    this.state = {
      log: new Log(policy, {
        epoch:
          saved === undefined
            ? (memberEpoch ?? nextEpoch(0, now))
            : saved.dirty
              ? nextEpoch(saved.epoch, now)
              : saved.epoch,
        head,
        floor: head,
        trimmed: head,
        ...(saved?.conflatableFrom === undefined ? {} : { conflatableFrom: saved.conflatableFrom }),
        entries: rows
          .filter(({ slot }) => slot !== STATE_SLOT && slot <= this.#slots)
          .flatMap(({ entries }) => decodeEntries(entries)),
      }),
      positions: new Positions(saved?.positions),
      webhookIds: new WebhookIds(saved?.webhookIds),
    };
    this.#saved = this.#encode(now);
    // Before anyone is told of it, so that epochs only grow.
    if (saved?.dirty) this.#putState(this.#saved);
  }

  appended(now: number): void {
    this.#appendedAt = now;
    if (this.#dirty) return;
    this.#dirty = true;
    this.#putState(JSON.stringify({ ...decodeState(this.#saved), dirty: true }));
    this.#timers.setTimeout(() => this.#saveWhenIdle(), IDLE_TIME);
  }

  sweep(): void {
    // Sets no alarm.
  }

  #saveWhenIdle(): void {
    const idleAt = this.#appendedAt + IDLE_TIME;
    const now = this.#timers.now();
    if (now < idleAt) {
      this.#timers.setTimeout(() => this.#saveWhenIdle(), idleAt - now);
      return;
    }
    this.#slots = STATE_SLOT;
    for (const entries of inChunks(this.state.log.latest)) {
      const last = entries.at(-1)?.seq ?? 0;
      this.#slots++;
      this.#chunks.put({ slot: this.#slots, last, entries: encodeEntries(entries), state: '' });
    }
    this.#saved = this.#encode(now);
    this.#putState(this.#saved);
    this.#dirty = false;
  }

  #encode(now: number): string {
    return encodeState(this.state, now, { slots: this.#slots });
  }

  #putState(state: string): void {
    this.#chunks.put({ slot: STATE_SLOT, last: this.state.log.head, entries: '', state });
  }
}

function* inChunks(entries: readonly Entry[]): Generator<Entry[]> {
  let chunk: Entry[] = [];
  let characters = 0;
  for (const entry of entries) {
    chunk.push(entry);
    characters += entry.text.length;
    if (characters < CHUNK_CHARACTERS) continue;
    yield chunk;
    chunk = [];
    characters = 0;
  }
  if (chunk.length > 0) yield chunk;
}
