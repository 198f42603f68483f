/**
 * A room as this client receives it: one connection, shared by all who read it. It joins where the
 * reader stands that is furthest back, at the rate of the one that wants most; each reader's own
 * cursor drops what it had. It asks the room again, over the open socket, when a reader comes late,
 * finds a hole or changes the rate, one request at a time.
 */
import type { Cursor } from '../../protocol/frames.ts';
import type { MaxRate } from '../../protocol/messages.ts';
import {
  Connection,
  type ConnectionOptions,
  type ConnectionOwner,
} from '../connection/connection.ts';
import type { ConnectionStatus } from '../connection/connection-state.ts';
import { type LogFrame, write } from '../connection/wire.ts';
import type { OnError } from '../errors.ts';
import type { RoomCursor } from './cursor.ts';
import { SnapshotParts } from './snapshot-parts.ts';

/** The room answers in one turn; a socket that stays mute longer is left for another. */
const ANSWER_WITHIN_MS = 10_000;

/** What the feed needs of a reader. */
export interface Reader {
  readonly maxRate: MaxRate | undefined;
  readonly place: RoomCursor;
  /** `length`: of the frame's text, in characters. */
  receive(frame: LogFrame, length: number): void;
  showStatus(status: ConnectionStatus): void;
}

export interface RoomFeedOptions extends ConnectionOptions {
  readonly room: string;
  /** Of the gateway, `wss://gateway.example`. */
  readonly url: URL;
  readonly onError: OnError;
  readonly onStatus: (status: ConnectionStatus) => void;
}

export class RoomFeed implements ConnectionOwner {
  readonly room: string;
  readonly connection: Connection;
  readonly onError: OnError;
  readonly #options: RoomFeedOptions;
  #readers: readonly Reader[] = [];
  /** What the room was last asked for. */
  #since: Cursor | undefined;
  #rate: MaxRate | undefined;
  /** Whether the answer to that is yet to come. */
  #isAsking = true;
  #cancelDeadline: () => void = () => {};
  /** What may be on its way without an ack, in characters; NaN when nobody counts. */
  #window = Number.NaN;
  #unacked = 0;
  /** Whether this connection has acked: the first ack makes the room count. */
  #acks = false;
  readonly #parts = new SnapshotParts();

  constructor(options: RoomFeedOptions) {
    this.room = options.room;
    this.onError = options.onError;
    this.#options = options;
    this.connection = new Connection(options, this);
  }

  get status(): ConnectionStatus {
    return this.connection.status;
  }

  /** The first reads for `client.on`, and stays. */
  add(reader: Reader): void {
    this.#readers = [...this.#readers, reader];
    this.ask();
  }

  /** The last to leave closes the connection. */
  remove(reader: Reader): void {
    this.#readers = this.#readers.filter((other) => other !== reader);
    if (this.#readers.length > 1) this.ask();
    else this.connection.dispatch('close');
  }

  address(home?: string): URL {
    const { url } = this.#options;
    const door = new URL(url);
    door.pathname = `${url.pathname.replace(/\/$/, '')}/v1/rooms/${encodeURIComponent(this.room)}`;
    const wanted = home && URL.canParse(home, url) ? new URL(home, url) : door;
    // The token goes to no other gateway, whatever a frame says.
    const address = wanted.host === url.host ? wanted : door;
    address.protocol = url.protocol;
    const { since, maxRate } = this.#join();
    if (since) address.searchParams.set('since', `${since.epoch}:${since.seq}`);
    if (maxRate) address.searchParams.set('maxRate', String(maxRate));
    return address;
  }

  welcomed(window: number): void {
    this.#window = window;
    this.#acks = false;
    if (this.#isAsking) this.#awaitAnswer();
  }

  receive(frame: LogFrame, length: number): void {
    // Other rooms have numbers of their own.
    if (!isSameRoom(frame.room, this.room)) return;
    const whole = this.#parts.join(frame, length);
    if (whole) for (const reader of this.#readers) reader.receive(whole.frame, whole.length);
    if (frame.type === 'subscribed') this.#isAsking = false;
    if (frame.type !== 'events' && !this.#isAsking) this.#judgeEpoch(frame.type === 'subscribed');
    this.#acknowledge(frame, length);
    this.ask();
  }

  disconnected(): void {
    this.#cancelDeadline();
    this.#isAsking = true;
    for (const { place } of this.#readers) place.disconnected();
  }

  showStatus(status: ConnectionStatus): void {
    this.#options.onStatus(status);
    for (const reader of this.#readers) reader.showStatus(status);
  }

  /** A room that answers with an older epoch for long is asked again over another connection. */
  #judgeEpoch(isAnswer: boolean): void {
    this.#cancelDeadline();
    if (!this.#readers.some(({ place }) => place.isAhead)) return;
    const reason = 'the room has gone back to an older epoch';
    if (isAnswer) this.onError('epoch_older', undefined, reason);
    this.#failLater(reason);
  }

  /** After each half window: what is on its way stays bounded, and the room never waits for long. */
  #acknowledge(frame: LogFrame, length: number): void {
    this.#unacked += length;
    // A part of a large state is one of many, and says no more than its first one.
    const isOneOfMany = frame.type === 'events' || (frame.type === 'snapshot' && frame.more);
    const isDue = !isOneOfMany || !this.#acks || this.#unacked >= this.#window / 2;
    const seq = this.#arrivedWith(frame);
    if (seq === undefined || !isDue || !this.#window) return;
    this.#unacked = 0;
    this.#acks = true;
    this.connection.send(write({ type: 'ack', room: this.room, seq }));
  }

  /** Up to where all has arrived; undefined when a snapshot is yet to come. */
  #arrivedWith(frame: LogFrame): number | undefined {
    switch (frame.type) {
      case 'events':
        return frame.events.at(-1)?.seq;
      case 'snapshot':
        return frame.seq;
      case 'subscribed':
        // Its `seq` is the room's head: of what was missed nothing has arrived.
        return frame.recovered ? this.#since?.seq : undefined;
      default:
        return undefined;
    }
  }

  /** Asks the room to go on from where its readers stand, if they need that. */
  ask(): void {
    const mustAsk = this.#readers.some(({ place }) => place.mustAsk);
    if (this.#isAsking || (!mustAsk && fastest(this.#readers) === this.#rate)) return;
    this.#isAsking = true;
    this.#awaitAnswer();
    const { room } = this;
    this.connection.send(write({ type: 'subscribe', id: 'subscribe', room, ...this.#join() }));
  }

  #awaitAnswer(): void {
    this.#cancelDeadline();
    this.#failLater('no answer to subscribe');
  }

  #failLater(reason: string): void {
    this.#cancelDeadline = this.#options.platform.after(ANSWER_WITHIN_MS, () =>
      this.connection.dispatch('failed', { reason }),
    );
  }

  /** What the room is asked for: all that any reader lacks, as fast as any wants it. */
  #join(): { since?: Cursor; maxRate?: MaxRate } {
    const since = this.#readers.map(({ place }) => place.position).reduce(earlier);
    const maxRate = fastest(this.#readers);
    this.#since = since;
    this.#rate = maxRate;
    for (const { place } of this.#readers) place.asked(since);
    return { ...(since && { since }), ...(maxRate && { maxRate }) };
  }
}

/** The gateway calls a room by its normal form: composed, and with addresses in lower case. */
function isSameRoom(heard: string, asked: string): boolean {
  return heard === asked || formOf(heard) === formOf(asked);
}

function formOf(room: string): string {
  return room.normalize().toLowerCase();
}

/** Undefined, that is as fast as the room goes, if any reader wants that. */
function fastest(readers: readonly Reader[]): MaxRate | undefined {
  let rate: MaxRate = 1;
  for (const { maxRate } of readers) {
    if (!maxRate) return undefined;
    if (maxRate > rate) rate = maxRate;
  }
  return rate;
}

/** Undefined, that is a snapshot, if a reader has no place yet. */
function earlier(one: Cursor | undefined, other: Cursor | undefined): Cursor | undefined {
  return one && other && ((one.epoch - other.epoch || one.seq - other.seq) > 0 ? other : one);
}
