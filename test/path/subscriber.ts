/**
 * A bare WebSocket client of one room, which declines `system`: keeps each event's text as it stood in
 * its frame, comes back with its cursor when it is cut off, and notes what no client should ever see.
 */
import type { Events, RoomFrame, Snapshot } from '../../worker/protocol/frames.ts';
import { JsonTextReader } from '../../worker/protocol/json-text.ts';

const RECONNECT_MS = 100;

export interface Received {
  readonly epoch: number;
  readonly seq: number;
  /** The event's JSON, as sent. */
  readonly text: string;
}

export class Subscriber {
  /** The events of `events` frames, in their order. */
  readonly received: Received[] = [];
  /** The events of the newest snapshot. */
  snapshot: readonly Received[] = [];
  /** One for each time it was subscribed. */
  readonly epochs: number[] = [];
  readonly gaps: unknown[] = [];
  /** Frames that did not join on to the one before. */
  readonly faults: string[] = [];
  readonly #url: string;
  readonly #protocols: string[];
  #socket: WebSocket | undefined;
  #epoch = 0;
  #cursor = -1;
  #closed = false;

  private constructor(url: string, token: string | undefined) {
    this.#url = url;
    this.#protocols = token === undefined ? ['gateway.v1'] : ['gateway.v1', `bearer.${token}`];
  }

  /** Resolves once subscribed. */
  static async join(gateway: string, room: string, token?: string): Promise<Subscriber> {
    const subscriber = new Subscriber(`${gateway}/v1/rooms/${room}?system=off`, token);
    await new Promise<void>((resolve) => subscriber.#connect(resolve));
    return subscriber;
  }

  get texts(): string[] {
    return this.received.map(({ text }) => text);
  }

  close(): void {
    this.#closed = true;
    this.#socket?.close();
  }

  #connect(subscribed?: () => void): void {
    const since = this.#cursor < 0 ? '' : `&since=${this.#epoch}:${this.#cursor}`;
    const socket = new WebSocket(this.#url + since, this.#protocols);
    this.#socket = socket;
    socket.addEventListener('message', ({ data }) => {
      this.#take(String(data));
      if (this.#cursor >= 0) subscribed?.();
    });
    socket.addEventListener('close', () => {
      if (!this.#closed) setTimeout(() => this.#connect(subscribed), RECONNECT_MS);
    });
  }

  #take(text: string): void {
    const frame: RoomFrame = JSON.parse(text);
    switch (frame.type) {
      case 'subscribed':
        this.epochs.push(frame.epoch);
        this.#epoch = frame.epoch;
        if (!frame.recovered) this.#cursor = frame.seq;
        return;
      case 'snapshot':
        this.snapshot = this.#events(text, frame);
        return;
      case 'gap':
        this.gaps.push(frame);
        return;
      case 'events': {
        if (frame.after !== this.#cursor) this.faults.push(`at ${this.#cursor}: ${text}`);
        const events = this.#events(text, frame);
        this.received.push(...events);
        this.#cursor = events.at(-1)?.seq ?? this.#cursor;
        return;
      }
    }
  }

  #events(text: string, frame: Events | Snapshot): Received[] {
    const texts = eventTexts(text);
    return frame.events.map(({ seq }, index) => ({
      epoch: this.#epoch,
      seq,
      text: texts[index] ?? '',
    }));
  }
}

/** The text of each event in a frame. */
function eventTexts(frame: string): string[] {
  const texts: string[] = [];
  const reader = new JsonTextReader(frame);
  reader.enterObject();
  for (let key = reader.nextKey(); key !== undefined; key = reader.nextKey()) {
    if (key !== 'events') {
      reader.skip();
      continue;
    }
    reader.enterArray();
    while (reader.nextElement()) {
      reader.enterObject();
      for (let member = reader.nextKey(); member !== undefined; member = reader.nextKey()) {
        const { start, end } = reader.skip();
        if (member === 'event') texts.push(frame.slice(start, end));
      }
    }
  }
  return texts;
}
