/** What a room's root has really answered for, of each epoch: whatever members are sent is judged by it. */
import type { Policy } from '../../../worker/policy.ts';
import type { RoomRecord } from '../../../worker/room/intake/room-batch.ts';
import type { Published } from '../reference.ts';
import { promise } from '../violation.ts';
import type { Ending } from './memory.ts';

export class Truth {
  readonly room: string;
  readonly policy: Policy;
  /** What was published in each epoch, by number less one. */
  readonly #epochs = new Map<number, Published[]>();
  #epoch = 0;
  #entries: Published[] = [];
  /** What the bounds have left of the entries. */
  #kept: Published[] = [];
  /** Before this the tail of a room in memory was lost by a sleep. */
  #tailFrom = 0;

  constructor(room: string, policy: Policy) {
    this.room = room;
    this.policy = policy;
  }

  get epoch(): number {
    return this.#epoch;
  }

  get head(): number {
    return this.#entries.length;
  }

  get isKeyed(): boolean {
    return this.policy.snapshot.kind === 'latest';
  }

  /** The number of the last entry of an epoch. */
  headOf(epoch: number): number {
    const entries = this.#epochs.get(epoch);
    promise(entries !== undefined, () => `${this.room} never had epoch ${epoch}`);
    return entries.length;
  }

  entry(epoch: number, seq: number): Published {
    const entry = this.#epochs.get(epoch)?.[seq - 1];
    promise(entry !== undefined, () => `${this.room} never had ${epoch}:${seq}`);
    return entry;
  }

  /** The root has woken, and its log is at `epoch` and `head`. */
  noteWake(epoch: number, head: number, after: Ending): void {
    const { policy, room } = this;
    const isSame = epoch === this.#epoch;
    promise(isSame || epoch > this.#epoch, () => `${room} went back to epoch ${epoch}`);
    const mayLose = policy.log === 'memory' && !isSame;
    promise(mayLose ? head <= this.head : head === this.head, () => `${room} woke at ${head}`);
    const hasLeft = after === 'departure';
    const mayChange = (policy.log === 'memory' && !hasLeft) || this.head === 0;
    promise(isSame || mayChange, () => `${room} has another epoch for nothing`);
    if (!isSame) this.#entries = this.#entries.slice(0, head);
    this.#epoch = epoch;
    this.#epochs.set(epoch, this.#entries);
    if (policy.log === 'durable' || hasLeft) return;
    this.#kept = [];
    this.#tailFrom = head;
  }

  append([, event, key, expiresAt]: RoomRecord, now: number): void {
    const seq = this.head + 1;
    const entry: Published = {
      seq,
      id: idOf(event),
      key: key ?? '',
      characters: event.length + `{"seq":${seq},"event":}`.length,
      appendedAt: now,
      expiresAt: expiresAt ?? now + this.policy.retention.age,
      perishable: expiresAt !== undefined,
    };
    this.#entries.push(entry);
    this.#keep(entry, now);
  }

  /** Whether somebody who stands at `epoch` and `seq` has everything that is left. */
  isWholeAt(epoch: number, seq: number, now: number): boolean {
    if (epoch !== this.#epoch && seq > 0) return false;
    return this.#entries
      .slice(seq)
      .every(({ expiresAt, perishable }) => perishable && expiresAt <= now);
  }

  /** Whether the bounds may have taken something that a reader at `from` does not have. */
  mayHaveTrimmed(epoch: number, from: number, now: number): boolean {
    if (epoch !== this.#epoch || from < this.#tailFrom) return true;
    const { entries, characters, age } = this.policy.retention;
    const after = this.#entries.slice(from);
    return (
      after.length > entries ||
      after.some(({ appendedAt, perishable }) => !perishable && now - appendedAt >= age) ||
      after.reduce((sum, entry) => sum + entry.characters, 0) > characters
    );
  }

  /** Whether the bounds have left an entry, or what replaces it. */
  keeps(epoch: number, seq: number, key: string): boolean {
    if (this.isKeyed) {
      return this.#latestAt(epoch, this.headOf(epoch)).some((entry) => entry.key === key);
    }
    return epoch === this.#epoch && this.#kept.some((entry) => entry.seq === seq);
  }

  /** What a snapshot at `seq` must show: of its entries in the tail, or of each key the latest. */
  stateAt(epoch: number, seq: number, now: number): Published[] {
    return this.isKeyed ? this.#latestAt(epoch, seq) : this.#recentAt(epoch, seq, now);
  }

  #recentAt(epoch: number, seq: number, now: number): Published[] {
    const { snapshot } = this.policy;
    const most = snapshot.kind === 'tail' ? snapshot.events : 0;
    const kept = epoch === this.#epoch ? this.#kept : [];
    return kept.filter((entry) => entry.seq <= seq && entry.expiresAt > now).slice(-most);
  }

  #latestAt(epoch: number, seq: number): Published[] {
    const { keys } = this.policy.retention;
    const latest = new Map<string, Published>();
    for (const entry of this.#epochs.get(epoch)?.slice(0, seq) ?? []) {
      latest.delete(entry.key);
      latest.set(entry.key, entry);
      const [stalest] = latest.keys();
      if (latest.size > keys && stalest !== undefined) latest.delete(stalest);
    }
    return [...latest.values()];
  }

  #keep(entry: Published, now: number): void {
    const { entries, characters } = this.policy.retention;
    this.#kept = this.#kept.filter(({ expiresAt }) => expiresAt > now);
    this.#kept.push(entry);
    let total = this.#kept.reduce((sum, kept) => sum + kept.characters, 0);
    while (this.#kept.length > entries || total > characters) {
      total -= this.#kept.shift()?.characters ?? 0;
    }
  }
}

/** The id stands first in each event. */
function idOf(event: string): string {
  return event.slice('{"id":"'.length, event.indexOf('"', '{"id":"'.length));
}
