/** How the events come: what the delivery panel shows. It looks at the wire, and changes nothing. */
import type { ConnectionStatus } from '../../client/index.ts';
import { framesIn } from './frame.ts';
import { Latency } from './latency.ts';
import { Rate } from './rate.ts';
import { Rooms } from './rooms.ts';

/** The room whose status stands for the connection's: everyone may read it. */
const FIRST_ROOM = 'price_updates';

interface Clocks {
  /** Unix ms. */
  readonly clock: () => number;
  /** Ms of a clock that never goes back. */
  readonly now: () => number;
}

export class Delivery {
  readonly rooms = new Rooms();
  readonly latency = new Latency();
  readonly events = new Rate();
  readonly frames = new Rate();
  readonly characters = new Rate();
  readonly #clocks: Clocks;
  #status: ConnectionStatus = { state: 'idle', online: true, failures: 0 };
  #statusSince: number;

  constructor(clocks: Clocks = { clock: Date.now, now: () => performance.now() }) {
    this.#clocks = clocks;
    this.#statusSince = clocks.now();
  }

  get status(): ConnectionStatus {
    return this.#status;
  }

  /** For how long the connection has been in its state, ms. */
  get statusAge(): number {
    return this.#clocks.now() - this.#statusSince;
  }

  /** Counts a message, and gives what it says. @throws when it is no JSON. */
  receive(text: string): unknown {
    const message: unknown = JSON.parse(text);
    const clock = this.#clocks.clock();
    const now = this.#clocks.now();
    const frames = framesIn(message);
    this.frames.add(frames.length, now);
    this.characters.add(text.length, now);
    for (const frame of frames) {
      const old = this.rooms.observe(frame);
      if (frame.type !== 'events') continue;
      this.events.add(frame.events.length, now);
      for (const entry of frame.events.slice(old)) this.latency.received(entry, clock, now);
    }
    return message;
  }

  showStatus(status: ConnectionStatus, room: string): void {
    if (status.state === 'stopped') this.rooms.refused(room);
    if (room !== FIRST_ROOM) return;
    if (status.state === this.#status.state) return;
    this.#status = status;
    this.#statusSince = this.#clocks.now();
  }
}
