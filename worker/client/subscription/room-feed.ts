/**
 * A room as this client receives it, shared by all who read it. The room is joined where the reader
 * stands that is furthest back, at the rate of the one that wants most; each reader's own cursor drops
 * what it had. It is asked again, over the open socket, when a reader comes late, finds a hole or changes
 * the rate, one request at a time.
 *
 * A room that has a socket of its own does as that does. Over a socket of many rooms each goes its own
 * way, once that is open:
 *
 *   connecting ──subscribed──▶ open
 *   connecting, open ──refused for now──▶ waiting ──▶ connecting
 *              ──refused for want of a token──▶ authorizing ──▶ waiting
 *              ──refused for good──▶ stopped
 *
 * There a room may be left and joined again while answers are on their way. So whoever joins passes over
 * everything until the `subscribed` that has the id of its own request.
 */
import { backoffMs } from '../connection/backoff.ts';
import type { Connection } from '../connection/connection.ts';
import type { ConnectionStatus, StateKind } from '../connection/connection-state.ts';
import type { Platform } from '../connection/platform.ts';
import type { LogFrame } from '../connection/wire.ts';
import type { OnError } from '../errors.ts';
import { ANSWER_WITHIN_MS, STATE_WITHIN_MS } from '../waits.ts';
import type { Handlers } from './handlers.ts';
import { fastest, type Reader, type Request, requestOf } from './reader/reader.ts';
import type { Feed } from './reader/room-reader.ts';
import { SnapshotParts } from './snapshot-parts.ts';

/** The refusal that may be another one the next time; the others stand until something else changes. */
const UNAVAILABLE = 'room_unavailable';

/** What a feed needs of the session that it is part of. */
export interface FeedSession {
  readonly options: {
    readonly platform: Platform;
    readonly handlers: Handlers;
    /** The room that the socket's address names. */
    readonly room: string | undefined;
  };
  readonly connection: Pick<Connection, 'status' | 'dispatch' | 'betterToken'>;
  /** The readers have changed, or what they need. */
  changed(): void;
  /** The room is at its end. */
  drop(feed: RoomFeed): void;
}

/** How the room is doing where its socket is open, as far as that differs from the socket. */
type OwnStatus = Partial<ConnectionStatus>;
const OPEN: OwnStatus = {};
const CONNECTING: OwnStatus = { state: 'connecting' };

export class RoomFeed implements Feed {
  readonly room: string;
  readonly onError: OnError;
  /** Whether the room has a socket of its own, whose address names it. */
  readonly isOwn: boolean;
  /** The id of the last request over this socket; undefined when there was none, or when its address asks. */
  id: string | undefined;
  readonly #session: FeedSession;
  #readers: readonly Reader[] = [];
  /** What the room was last asked for. */
  #request: Request | undefined;
  /** Whether the answer to that is yet to come, or the time to ask once more. */
  #isAsking = false;
  /** Whether what comes of the room is for us. */
  #isLive = false;
  readonly #parts = new SnapshotParts();
  #own: OwnStatus = OPEN;
  #reported: StateKind | undefined;
  /** Requests in a row that came to nothing. */
  #failures = 0;
  /** Whether a token was fetched since the room last answered. */
  #isRenewed = false;
  #cancelTimer: () => void = () => {};

  /** The reader that `begin` makes reads for `client.on`, and stays. */
  constructor(room: string, session: FeedSession, begin: (feed: RoomFeed) => Reader) {
    const { options } = session;
    this.room = room;
    this.isOwn = room === options.room;
    this.onError = options.handlers.errorsOf(room);
    this.#session = session;
    this.#readers = [begin(this)];
    this.disconnected();
  }

  get status(): ConnectionStatus {
    const { status } = this.#session.connection;
    const own = this.#own;
    return status.state === 'open' || own.code ? { ...status, ...own } : status;
  }

  /** Whether no reader is left but the first, which reads for `client.on`. */
  get isLeft(): boolean {
    return this.#readers.length < 2;
  }

  /** Whether the readers need something that the room was not asked for. */
  get isDue(): boolean {
    const readers = this.#readers;
    const mustAsk = readers.some(({ place }) => place.mustAsk);
    return !this.#isAsking && (mustAsk || fastest(readers) !== this.#request?.maxRate);
  }

  add(reader: Reader): void {
    this.#readers = [...this.#readers, reader];
    this.ask();
  }

  remove(reader: Reader): void {
    this.#readers = this.#readers.filter((other) => other !== reader);
    this.ask();
  }

  ask(): void {
    this.#session.changed();
  }

  /** Gives what to ask the room for, by a message of that id, or else by a socket's address. */
  join(id?: string): Request {
    const request = requestOf(this.#readers);
    const { since } = request;
    this.#request = request;
    this.#isAsking = true;
    this.id = id;
    for (const { place } of this.#readers) place.asked(since, this.#isLive);
    this.#cancelTimer();
    const ms = since && id && this.isOwn ? ANSWER_WITHIN_MS : STATE_WITHIN_MS;
    // What every socket brings may be late; that is no reason to leave the socket.
    if (!this.isLeft) this.#failLater('no answer to subscribe', ms);
    return request;
  }

  /** Gives the number up to which all has arrived, for an ack; undefined when it would mean nothing. */
  receive(frame: LogFrame): number | undefined {
    const isAnswer = frame.type === 'subscribed';
    if (!this.#isLive && (!isAnswer || frame.id !== this.id)) return undefined;
    this.#isLive = true;
    const whole = this.#parts.join(frame);
    if (whole) for (const reader of this.#readers) reader.receive(whole);
    if (isAnswer) this.#isAsking = false;
    if (this.#isAsking) return undefined;
    if (frame.type === 'events') return frame.events.at(-1)?.seq;
    this.#failures = 0;
    this.#isRenewed = false;
    this.#become(OPEN);
    this.#judgeEpoch(isAnswer);
    if (frame.type === 'snapshot') return frame.seq;
    // The `seq` of `subscribed` is the room's head: of what was missed nothing has arrived.
    return isAnswer && frame.recovered ? this.#request?.since?.seq : undefined;
  }

  refused(code: string, reason: string): void {
    // If the room was joined before, it may still be.
    if (!this.#isLive) this.id = undefined;
    // Nobody gets the state of a room: the first reader reads what every socket brings.
    if (this.isLeft) this.onError(code, undefined, reason);
    const { connection } = this.#session;
    const isOfToken = code.startsWith('token_') && !this.#isRenewed;
    const token = isOfToken ? connection.betterToken() : undefined;
    if (token) void this.#awaitToken(token, reason);
    else if (code === UNAVAILABLE) this.#wait(reason);
    else this.end(code, reason);
  }

  askAgain(): void {
    this.#forgetRequest();
    this.#become(CONNECTING);
    this.ask();
  }

  disconnected(): void {
    this.#cancelTimer();
    this.#forgetRequest();
    this.id = undefined;
    this.#own = this.isOwn ? OPEN : CONNECTING;
  }

  /** For good. */
  end(code: string, reason: string): void {
    this.#session.drop(this);
    this.#become({ state: 'stopped', code, reason });
  }

  /** Reports how the room is doing, if that is news to anyone. */
  reportStatus(): void {
    const { status } = this;
    const { state, code = 'closed', reason } = status;
    const isNews = state !== this.#reported || state === 'waiting';
    if (!isNews || (this.isLeft && !this.#reported)) return;
    this.#reported = state;
    this.#session.options.handlers.emit('status', status, this.room);
    if (code !== 'closed') this.onError(code, undefined, reason);
    for (const reader of this.#readers) reader.statusChanged(status);
  }

  #become(own: OwnStatus): void {
    this.#cancelTimer();
    this.#own = own;
    this.reportStatus();
  }

  #forgetRequest(): void {
    this.#isAsking = this.#isLive = false;
    for (const { place } of this.#readers) place.refused();
  }

  #wait(reason: string): void {
    const { platform } = this.#session.options;
    const retryInMs = backoffMs(this.#failures++, platform.random, 0);
    this.#become({ state: 'waiting', reason, retryInMs, failures: this.#failures });
    this.#cancelTimer = platform.after(retryInMs, () => this.askAgain());
  }

  async #awaitToken(token: Promise<unknown>, reason: string): Promise<void> {
    const own: OwnStatus = { state: 'authorizing' };
    this.#become(own);
    try {
      await token;
      this.#isRenewed = true;
    } catch (error) {
      this.onError('token_failed', error);
    }
    if (this.#own === own) this.#wait(reason);
  }

  /** A room that answers with an older epoch for long is asked over another socket. */
  #judgeEpoch(isAnswer: boolean): void {
    if (!this.#readers.some(({ place }) => place.isStuck)) return;
    const reason = 'the room is in an older epoch';
    if (isAnswer) this.onError('epoch_older', undefined, reason);
    this.#failLater(reason, ANSWER_WITHIN_MS);
  }

  #failLater(reason: string, ms: number): void {
    const { options, connection } = this.#session;
    this.#cancelTimer = options.platform.after(ms, () => connection.dispatch('failed', { reason }));
  }
}
