/**
 * A store whose log lives in memory and is saved when it is idle, because each write costs and holds
 * every frame back until it is confirmed. There is no hook before hibernation or a crash. So the
 * first append of an active period writes `dirty`, and after three idle seconds epoch, head,
 * positions and the latest entry per key are saved and `dirty` is cleared. A store that wakes dirty
 * has lost a tail: its log starts a new, greater epoch. Only an object that ends itself, for a newer
 * version of the code, saves the tail too.
 */
import type { Policy } from '../../policy.ts';
import { decodeEntries, type Entry, encodeEntries } from '../log/entry.ts';
import type { Chunks } from './chunks.ts';
import {
  decodeState,
  encodeState,
  nextEpoch,
  openState,
  type RoomState,
  type SavedState,
} from './state.ts';
import type { Store } from './store.ts';

/** How long nothing is appended before the room is saved, in ms. */
export const IDLE_TIME = 3_000;
/** The slot of the state. The saved entries are in the slots after it. */
const STATE_SLOT = 0;
/** A row has at most 2 MB; a character has at most three bytes, and one entry may come on top. */
const CHUNK_CHARACTERS = 256 * 1024;

export class MemoryStore implements Store {
  readonly state: RoomState;
  /** It sets no alarm. */
  readonly alarmAt = undefined;
  readonly #chunks: Chunks;
  /** The state as it was saved last, which is what a crash would leave. */
  #saved: string;
  /** How many slots after the first hold the saved entries. */
  #slots: number;
  /** Whether these are the whole log, as it was when they were saved. */
  #isWhole: boolean;
  #dirty = false;
  /** Whether anything of the room was ever saved. */
  #isSaved: boolean;
  #appendedAt = 0;

  /** @param memberEpoch the epoch that hibernating members of a room without a table were told. */
  constructor(policy: Policy, chunks: Chunks, memberEpoch: number | undefined, now: number) {
    this.#chunks = chunks;
    const rows = chunks.read();
    const stateRow = rows.find(({ slot }) => slot === STATE_SLOT);
    const saved = stateRow === undefined ? undefined : decodeState(stateRow.state);
    this.#isSaved = saved !== undefined;
    this.#slots = saved?.slots ?? 0;
    const { head = 0, whole = false, dirty = false } = saved ?? {};
    this.#isWhole = whole && !dirty;
    this.state = openState({
      policy,
      saved,
      epoch: epochAfter(saved, memberEpoch, now),
      floor: this.#isWhole ? (saved?.floor ?? head) : head,
      trimmed: this.#isWhole ? (saved?.trimmed ?? head) : head,
      entries: rows
        .filter(({ slot }) => slot !== STATE_SLOT && slot <= this.#slots)
        .flatMap(({ entries }) => decodeEntries(entries)),
    });
    this.state.log.expire(now);
    this.#saved = this.#encode(now);
    // The new epoch is saved before anyone learns of it, so that epochs only grow.
    if (saved?.dirty) this.#putState(this.#saved);
  }

  get dueAt(): number {
    return this.#dirty ? this.#appendedAt + IDLE_TIME : Number.POSITIVE_INFINITY;
  }

  appended(now: number): void {
    this.#appendedAt = now;
    if (this.#dirty) return;
    this.#dirty = true;
    this.#putState(JSON.stringify({ ...decodeState(this.#saved), dirty: true }));
  }

  keepEpoch(): void {
    if (this.#isSaved) return;
    this.#putState(this.#saved);
  }

  cleared(): void {
    this.#isSaved = false;
  }

  sweep(): void {
    // It sets no alarm.
  }

  /** Saves the room, once it is idle. */
  run(now: number): void {
    if (now >= this.dueAt) this.#save(this.state.log.latest, false, now);
  }

  saveAll(now: number): void {
    const { log } = this.state;
    if (this.#dirty || log.entries.length > 0) this.#save(log.kept, true, now);
  }

  #save(entries: readonly Entry[], isWhole: boolean, now: number): void {
    this.#slots = STATE_SLOT;
    for (const chunk of inChunks(entries)) {
      const last = chunk.at(-1)?.seq ?? 0;
      this.#slots++;
      this.#chunks.put({ slot: this.#slots, last, entries: encodeEntries(chunk), state: '' });
    }
    this.#isWhole = isWhole;
    this.#saved = this.#encode(now);
    this.#putState(this.#saved);
    this.#dirty = false;
  }

  #encode(now: number): string {
    return encodeState(this.state, now, { slots: this.#slots, whole: this.#isWhole });
  }

  #putState(state: string): void {
    this.#isSaved = true;
    this.#chunks.put({ slot: STATE_SLOT, last: this.state.log.head, entries: '', state });
  }
}

/** The epoch of a log as it is opened: a greater one when its tail was lost. */
function epochAfter(
  saved: SavedState | undefined,
  memberEpoch: number | undefined,
  now: number,
): number {
  if (saved === undefined) return memberEpoch ?? nextEpoch(0, now);
  return saved.dirty ? nextEpoch(saved.epoch, now) : saved.epoch;
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
