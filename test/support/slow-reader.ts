/** A plain WebSocket that stops taking anything once it has joined, and may read on later. */

import * as v from 'valibot';
import { type RoomFrame, roomFrameSchema } from '../../worker/protocol/frames.ts';
import { RawWebSocket } from './raw-websocket.ts';
import type { Span, UniformEvents } from './uniform-events.ts';
import { until } from './until.ts';

/** What it read after it had stopped: a span, or another frame. */
export type Read = Span | RoomFrame;

export class SlowReader {
  readonly read: Read[] = [];
  /** Where it stands by what it has read. */
  cursor: number;
  /** How it ended, `4413 slow_consumer`; undefined while it is open. */
  ended: string | undefined;
  /** Frames that did not join on to the one before. */
  readonly faults: string[] = [];
  readonly #events: UniformEvents;
  #socket: RawWebSocket | undefined;

  private constructor(events: UniformEvents) {
    this.#events = events;
    this.cursor = -1;
  }

  /** Resolves once it has its snapshot and has stopped reading. */
  static async join(url: string, events: UniformEvents): Promise<SlowReader> {
    const reader = new SlowReader(events);
    const joined = Promise.withResolvers<void>();
    reader.#socket = await RawWebSocket.open(
      `${url.replace('http', 'ws')}/v1/rooms/${events.room}?system=off`,
      {
        text: (payload) => {
          reader.#take(payload);
          if (reader.cursor >= 0) joined.resolve();
        },
        ended: (how) => {
          reader.ended = how;
        },
      },
    );
    await joined.promise;
    reader.#socket.stopReading();
    return reader;
  }

  readOn(): void {
    this.#socket?.readOn();
  }

  /** Resolves once it stands at `seq` or later. */
  reach(seq: number): Promise<number | false> {
    return until(`a reader at ${seq}`, () => this.cursor >= seq && this.cursor);
  }

  cut(): void {
    this.#socket?.cut();
  }

  #take(payload: Buffer): void {
    const span = this.#events.spanOf(payload);
    if (span !== undefined) {
      if (span.after !== this.cursor) this.faults.push(`after ${span.after} at ${this.cursor}`);
      this.cursor = span.last;
      this.read.push(span);
      return;
    }
    const frame = v.parse(roomFrameSchema, JSON.parse(payload.toString()));
    if (frame.type === 'gap' && frame.from !== this.cursor) {
      this.faults.push(`a gap from ${frame.from} at ${this.cursor}`);
    }
    const hasJoined = this.cursor >= 0;
    if (frame.type === 'snapshot') this.cursor = frame.seq;
    if (hasJoined) this.read.push(frame);
  }
}
