/**
 * A room as this client receives it: one connection, shared by all who read the room. The connection
 * brings `system` as well, to the reader that is given for it.
 */
import type { Cursor } from '../../protocol/frames.ts';
import {
  Connection,
  type ConnectionOptions,
  type ConnectionOwner,
} from '../connection/connection.ts';
import type { ConnectionStatus } from '../connection/connection-state.ts';
import { type LogFrame, systemRoom, write } from '../connection/wire.ts';
import type { OnError } from '../errors.ts';
import { type Reader, RoomStream } from './room-stream.ts';

/** A room goes on from a cursor in one turn; a socket that stays mute longer is left for another. */
const ANSWER_WITHIN_MS = 10_000;
/** Who is to be shown a state waits in line: 2,000 clients and a state of 2 MB take four minutes. */
const STATE_WITHIN_MS = 300_000;

export interface RoomFeedOptions extends ConnectionOptions {
  readonly room: string;
  /** Of the gateway, `wss://gateway.example`. */
  readonly url: URL;
  /** Who hears `system` over this connection. Without, a connection of another room declines it. */
  readonly systemReader: Reader | undefined;
  readonly onError: OnError;
  readonly onStatus: (status: ConnectionStatus) => void;
}

export class RoomFeed implements ConnectionOwner {
  readonly room: string;
  readonly connection: Connection;
  readonly onError: OnError;
  readonly #options: RoomFeedOptions;
  readonly #own: RoomStream;
  readonly #system: RoomStream | undefined;
  #cancelDeadline: () => void = () => {};
  /** What may be on its way without an ack, in characters; NaN when nobody counts. */
  #window = Number.NaN;
  #unacked = 0;
  /** Whether this connection has acked: the first ack makes the room count. */
  #acks = false;

  constructor(options: RoomFeedOptions) {
    const { room, systemReader } = options;
    this.room = room;
    this.onError = options.onError;
    this.#options = options;
    this.connection = new Connection(options, this);
    this.#own = new RoomStream(room, (request) => {
      this.#awaitAnswer(request.since ? ANSWER_WITHIN_MS : STATE_WITHIN_MS);
      this.connection.send(write({ type: 'subscribe', id: 'subscribe', room, ...request }));
    });
    if (systemReader) {
      // Without an id, since a refusal is no reason to leave the room's connection; nor is silence.
      this.#system = new RoomStream(systemRoom, (request) =>
        this.connection.send(write({ type: 'subscribe', room: systemRoom, ...request })),
      );
      this.#system.add(systemReader);
    }
  }

  get status(): ConnectionStatus {
    return this.connection.status;
  }

  /** The first reads for `client.on`, and stays. */
  add(reader: Reader): void {
    this.#own.add(reader);
  }

  /** The last to leave closes the connection. */
  remove(reader: Reader): void {
    this.#own.remove(reader);
    if (this.#own.readers.length > 1) this.ask();
    else this.connection.dispatch('close');
  }

  ask(): void {
    this.#own.ask();
  }

  address(home?: string): URL {
    const { url } = this.#options;
    const door = new URL(url);
    door.pathname = `${url.pathname.replace(/\/$/, '')}/v1/rooms/${encodeURIComponent(this.room)}`;
    const wanted = home && URL.canParse(home, url) ? new URL(home, url) : door;
    // The token goes to no other gateway, whatever a frame says.
    const address = wanted.host === url.host ? wanted : door;
    address.protocol = url.protocol;
    const { since, maxRate } = this.#own.join();
    const { searchParams } = address;
    if (since) searchParams.set('since', textOf(since));
    if (maxRate) searchParams.set('maxRate', String(maxRate));
    const told = this.#system?.join().since;
    if (told) searchParams.set(systemRoom, textOf(told));
    if (!this.#system && this.room !== systemRoom) searchParams.set(systemRoom, 'off');
    return address;
  }

  welcomed(window: number): void {
    this.#window = window;
    this.#acks = false;
    if (this.#own.isAsking) this.#awaitAnswer(STATE_WITHIN_MS);
  }

  receive(frame: LogFrame, length: number): void {
    const stream = this.#streamOf(frame.room);
    if (!stream) return;
    stream.receive(frame, length);
    if (stream === this.#own && frame.type !== 'events' && !stream.isAsking) {
      this.#judgeEpoch(frame.type === 'subscribed');
    }
    this.#acknowledge(stream, frame, length);
    stream.ask();
  }

  refused(code: string, reason: string, room?: string): void {
    const system = room === systemRoom ? this.#system : undefined;
    system?.refused();
    this.onError(code, undefined, reason, system?.room);
  }

  disconnected(): void {
    this.#cancelDeadline();
    this.#own.disconnected();
    this.#system?.disconnected();
  }

  showStatus(status: ConnectionStatus): void {
    this.#options.onStatus(status);
    for (const reader of this.#own.readers) reader.showStatus(status);
  }

  /** The stream that a frame belongs to. Other rooms have numbers of their own. */
  #streamOf(room: string): RoomStream | undefined {
    if (this.#system && room === systemRoom) return this.#system;
    return isSameRoom(room, this.room) ? this.#own : undefined;
  }

  /** A room that answers with an older epoch for long is asked again over another connection. */
  #judgeEpoch(isAnswer: boolean): void {
    this.#cancelDeadline();
    if (!this.#own.readers.some(({ place }) => place.isAhead)) return;
    const reason = 'the room has gone back to an older epoch';
    if (isAnswer) this.onError('epoch_older', undefined, reason);
    this.#failLater(reason, ANSWER_WITHIN_MS);
  }

  /**
   * After each half window, over both rooms: what is on its way stays bounded, and the room never
   * waits for long. Whatever was sent before the frame that is acked has arrived too.
   */
  #acknowledge(stream: RoomStream, frame: LogFrame, length: number): void {
    this.#unacked += length;
    // A part of a large state is one of many, and says no more than its first one. `system` has
    // little to say, and no message of its own.
    const isOneOfMany =
      stream !== this.#own || frame.type === 'events' || (frame.type === 'snapshot' && frame.more);
    const isDue = !isOneOfMany || !this.#acks || this.#unacked >= this.#window / 2;
    const seq = stream.arrivedWith(frame);
    if (seq === undefined || !isDue || !this.#window) return;
    this.#unacked = 0;
    this.#acks = true;
    this.connection.send(write({ type: 'ack', room: stream.room, seq }));
  }

  #awaitAnswer(ms: number): void {
    this.#cancelDeadline();
    this.#failLater('no answer to subscribe', ms);
  }

  #failLater(reason: string, ms: number): void {
    this.#cancelDeadline = this.#options.platform.after(ms, () =>
      this.connection.dispatch('failed', { reason }),
    );
  }
}

function textOf({ epoch, seq }: Cursor): string {
  return `${epoch}:${seq}`;
}

/** The gateway calls a room by its normal form: composed, and with addresses in lower case. */
function isSameRoom(heard: string, asked: string): boolean {
  return heard === asked || formOf(heard) === formOf(asked);
}

function formOf(room: string): string {
  return room.normalize().toLowerCase();
}
