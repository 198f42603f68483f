/**
 * What leaves over one socket, and how much of it may: flow control.
 *
 * `send` never pushes back and queues without bound, so whoever does not keep up has to be found out
 * before anything is sent. There are two signs of it:
 *
 * - A client that acks has a window: so many characters may be on their way to it. When the window
 *   is full, its members wait, and its next ack brings them back. Nobody needs to look meanwhile.
 * - For every other client we look at its backlog, which is what waits in our own memory for the
 *   socket, where the runtime reports that. The backlog also counts what the output gate holds until
 *   SQLite has written, so a backlog alone is no sign of a slow client. That is why it is measured
 *   once in a turn, before the turn's own frames make it grow; why a member that finds it full is
 *   looked at again soon; and why only a member that stays stalled for a while counts as slow.
 *   To ask the runtime costs a call for each socket, so it is asked only when the backlog could be
 *   full by what was sent since it was asked last.
 *
 * A member that cannot take a slice keeps its cursor and becomes a laggard (`delivery/laggards.ts`,
 * which also closes the socket of a laggard that never takes anything and never acks). So a slow
 * client costs no queue: the log is its queue. Rejected: a queue per socket, which grows with the
 * slowest client; and closing a slow client at once, which loses its place for a short stall.
 */
import type { Readiness } from '../../delivery/member.ts';
import { MAX_FRAME_CHARACTERS } from '../../delivery/slice.ts';
import type { Sent, Turn } from '../../turn.ts';
import { JoinedFrames } from './joined-frames.ts';
import { type SavedSent, Window } from './window.ts';

/** The part of a WebSocket that a room uses. */
export interface Socket {
  send(frame: string): void;
  close(code: number, reason: string): void;
  serializeAttachment(attachment: unknown): void;
  /** How much waits in our memory for the network, in bytes; only the newest runtimes report it. */
  readonly bufferedAmount?: number;
}

/**
 * A socket whose backlog is this large is sent no slice, in bytes: 2,000 sockets that stall at it
 * are half of an object's memory.
 */
export const MAX_BACKLOG_BYTES = 32 * 1024;
/** What one turn may add to that, in bytes, however much is pending. With so much a socket is answered nothing. */
export const MAX_BURST_BYTES = 1024 * 1024;
/**
 * The same of a socket of a relay: there all rooms of a turn come together, and 200 sockets that have
 * just stopped reading are sent this much before it is seen.
 */
export const MAX_RELAY_BURST_BYTES = 128 * 1024;
/** A character of a text is at most so many bytes of UTF-8. */
const MOST_BYTES_OF_CHARACTER = 3;

export class Output {
  readonly #socket: Socket;
  readonly #turn: Pick<Turn, 'number'> & Sent;
  /** Whether the runtime has `bufferedAmount`. */
  readonly #hasBacklog: boolean;
  readonly #window = new Window();
  /** Whether the client has ever acked, which turns its window on. */
  #acks = false;
  #measuredInTurn = -1;
  /** What waited before this turn at most, in bytes: as it was reported last, and all that was sent since. */
  #backlog: number;
  /** What this turn has sent, in characters. */
  #burst = 0;
  #sent = 0;
  /** Whether frames wait for the end of the turn, and then leave together. */
  readonly #batches: boolean;
  #waiting: string[] = [];

  constructor(socket: Socket, turn: Pick<Turn, 'number'> & Sent, batches = false) {
    this.#socket = socket;
    this.#batches = batches;
    this.#turn = turn;
    const backlog = socket.bufferedAmount;
    this.#hasBacklog = backlog !== undefined;
    this.#backlog = backlog ?? 0;
  }

  get acks(): boolean {
    return this.#acks;
  }

  /** What was ever sent, in characters. */
  get sent(): number {
    return this.#sent;
  }

  /** What is on its way to a client that acks, in characters. */
  get inFlight(): number {
    return this.#window.characters;
  }

  get isWindowFull(): boolean {
    return this.#acks && this.#window.isFull;
  }

  /** Whether a slice can be delivered to a member of this session. */
  get readiness(): Readiness {
    if (this.isWindowFull) return 'awaits_ack';
    if (!this.#hasBacklog) return 'ready';
    this.#measure();
    const mostBurst = this.#batches ? MAX_RELAY_BURST_BYTES : MAX_BURST_BYTES;
    const isFull = this.#backlog >= MAX_BACKLOG_BYTES || this.#backlog + this.#burst >= mostBurst;
    return isFull ? 'full' : 'ready';
  }

  /** Whether a message can be answered. Who asks and never reads would fill our memory otherwise. */
  get canBeAnswered(): boolean {
    if (!this.#hasBacklog) return true;
    this.#measure();
    return this.#backlog < MAX_BURST_BYTES;
  }

  /** Sends a frame. False when the socket is closing already: its close event may never come. */
  send(frame: string): boolean {
    if (this.#hasBacklog) this.#measure();
    if (this.#batches) this.#waiting.push(frame);
    else if (!this.#transmit(frame)) return false;
    this.#burst += frame.length;
    this.#sent += frame.length;
    return true;
  }

  /** Sends the frames that wait, in messages of a frame's length. False when the socket is closing already. */
  sendWaiting(joined = new JoinedFrames()): boolean {
    const frames = this.#waiting;
    this.#waiting = [];
    let from = 0;
    let characters = 0;
    for (const [index, { length }] of frames.entries()) {
      if (index > from && characters + length > MAX_FRAME_CHARACTERS) {
        if (!this.#transmit(joined.join(frames.slice(from, index)))) return false;
        from = index;
        characters = 0;
      }
      characters += length + 1;
    }
    return frames.length === 0 || this.#transmit(joined.join(frames.slice(from)));
  }

  #transmit(message: string): boolean {
    try {
      this.#socket.send(message);
      this.#turn.messages++;
      this.#turn.characters += message.length;
      return true;
    } catch {
      return false;
    }
  }

  /** As `send`, for frames that bring the client to `upTo` in `room`, which it will ack. */
  sendUpTo(room: string, upTo: number, frames: readonly string[]): boolean {
    for (const frame of frames) {
      if (!this.send(frame)) return false;
      if (this.#acks) this.#window.count(room, upTo, frame.length);
    }
    return true;
  }

  /** Whether an ack may name `seq` of `room`, because it is on its way. */
  awaits(room: string, seq: number): boolean {
    return this.#window.holds(room, seq);
  }

  /** The client has received everything up to `seq` of `room`, and what was sent before that. */
  acknowledge(room: string, seq: number): void {
    this.#acks = true;
    this.#window.acknowledge(room, seq);
  }

  /** No ack for what was sent of `room` is waited for any more, though one may come. */
  forget(room: string): void {
    this.#window.forget(room);
  }

  saveInFlight(): SavedSent[] {
    return this.#window.save();
  }

  restore(acks: boolean, inFlight: readonly SavedSent[]): void {
    this.#acks = acks;
    this.#window.restore(inFlight);
  }

  #measure(): void {
    if (this.#measuredInTurn === this.#turn.number) return;
    this.#measuredInTurn = this.#turn.number;
    this.#backlog += this.#burst * MOST_BYTES_OF_CHARACTER;
    this.#burst = 0;
    if (this.#backlog >= MAX_BACKLOG_BYTES) this.#backlog = this.#socket.bufferedAmount ?? 0;
  }
}
