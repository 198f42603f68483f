/**
 * The rooms without any event that a relay follows. Whoever asks for a room that nobody has published to
 * makes an object of it, which keeps a row for as long as it is followed, and some time longer. So a relay
 * follows no more than some of them for the clients of one address, and no more than some in all. A room
 * counts for the address that was the first to ask for it, until it has an event, or nobody keeps it. Only
 * rooms of a symbol count: anyone may ask for them, by as many names as anyone can think of.
 */
import { symbolOfRoom } from '../../../protocol/rooms.ts';

/** A client may fill two sockets with rooms that nobody has published to yet. */
export const MAX_OF_ADDRESS = 512;
/** A market that has not opened yet has some thousand rooms. Each costs a relay some kilobytes. */
export const MAX_OF_RELAY = 4_096;
/** For how long a room counts that is followed no more, since its object notices that late; in ms. */
const COUNTS_FOR = 600_000;
/** How often it is looked for rooms that count no more, in ms. */
const SWEEP_INTERVAL = 1_000;

/** What the relay knows of a room: `eventless` also if it does not know yet. */
export type Following = 'not' | 'eventless' | 'with_events';

interface Counted {
  /** Undefined when it is not known, as it is without Cloudflare. */
  readonly address: string | undefined;
  readonly askedAt: number;
}

export class EventlessRooms {
  readonly #followingOf: (room: string) => Following;
  readonly #rooms = new Map<string, Counted>();
  readonly #ofAddress = new Map<string, number>();
  #sweptAt = Number.NEGATIVE_INFINITY;

  constructor(followingOf: (room: string) => Following) {
    this.#followingOf = followingOf;
  }

  /** Whether a room may be followed for a client; if so, the room counts. */
  admits(room: string, address: string | undefined, now: number): boolean {
    if (!this.#isNew(room) || this.#followingOf(room) !== 'not') return true;
    if (this.#isFull(address)) this.#sweep(now);
    if (this.#isFull(address)) return false;
    this.count(room, address, now);
    return true;
  }

  /** Takes note that a room is followed for a client. */
  count(room: string, address: string | undefined, now: number): void {
    if (!this.#isNew(room) || this.#followingOf(room) === 'with_events') return;
    this.#rooms.set(room, { address, askedAt: now });
    this.#add(address, 1);
  }

  #isNew(room: string): boolean {
    return symbolOfRoom(room) !== undefined && !this.#rooms.has(room);
  }

  #isFull(address: string | undefined): boolean {
    const ofAddress = address === undefined ? 0 : (this.#ofAddress.get(address) ?? 0);
    return this.#rooms.size >= MAX_OF_RELAY || ofAddress >= MAX_OF_ADDRESS;
  }

  #sweep(now: number): void {
    if (now - this.#sweptAt < SWEEP_INTERVAL) return;
    this.#sweptAt = now;
    for (const [room, { address, askedAt }] of this.#rooms) {
      const following = this.#followingOf(room);
      const counts = following === 'eventless' || now - askedAt < COUNTS_FOR;
      if (counts && following !== 'with_events') continue;
      this.#rooms.delete(room);
      this.#add(address, -1);
    }
  }

  #add(address: string | undefined, by: number): void {
    if (address === undefined) return;
    const count = (this.#ofAddress.get(address) ?? 0) + by;
    if (count > 0) this.#ofAddress.set(address, count);
    else this.#ofAddress.delete(address);
  }
}
