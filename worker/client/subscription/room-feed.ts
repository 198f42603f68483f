/**
 * A room as this client receives it, shared by all who read it: how it is doing, and what comes of a
 * request that is refused or finds no answer. Its state is that of its socket, until that is open. Where
 * the socket's address names the room it is open then, too. Over a socket of many rooms, each goes its
 * own way from there:
 *
 *   connecting ──subscribed──▶ open
 *   connecting, open ──refused for now, or no answer──▶ waiting ──▶ connecting
 *              ──refused for want of a good token──▶ authorizing ──a new one──▶ connecting
 *              ──refused for good──▶ stopped
 */
import { backoffMs } from '../connection/backoff.ts';
import type { ConnectionStatus, StateKind } from '../connection/connection-state.ts';
import type { Platform } from '../connection/platform.ts';
import type { LogFrame } from '../connection/wire.ts';
import type { OnError } from '../errors.ts';
import type { Feed } from './room-reader.ts';
import { type Reader, type Request, RoomStream } from './room-stream.ts';

/** A room goes on from a cursor in one turn, where it must not be fetched from elsewhere first. */
const ANSWER_WITHIN_MS = 10_000;
/** Who is to be shown a state waits in line: 2,000 clients and a state of 2 MB take four minutes. */
const STATE_WITHIN_MS = 300_000;
/** The refusals that nothing changes but another token, or fewer rooms. */
const FINAL = /^(token_|message_|rooms_|room_(invalid|forbidden|elsewhere))/;

/** What a feed needs of the session that it is part of. */
export interface FeedSession {
  readonly platform: Platform;
  /** How the socket is doing. */
  readonly status: ConnectionStatus;
  /** Whether the socket's address names the room. */
  isOf(room: string): boolean;
  /** The readers have changed, or what they need. */
  changed(): void;
  /** The room has given no answer. */
  failed(feed: RoomFeed, reason: string): void;
  /** Gives when there may be a better token than the one that was refused; undefined if there is none. */
  betterToken(code: string): Promise<unknown> | undefined;
  /** The room has refused for good. */
  drop(feed: RoomFeed): void;
  /** Is told before the readers are. */
  showFeed(feed: RoomFeed, status: ConnectionStatus): void;
}

/** How the room is doing where its socket is open, as far as that differs from the socket. */
type OwnStatus = Partial<ConnectionStatus>;
const OPEN: OwnStatus = {};
const CONNECTING: OwnStatus = { state: 'connecting' };
const LEFT = { state: 'stopped', code: 'closed', reason: 'unsubscribed' } as const;

export class RoomFeed implements Feed {
  readonly room: string;
  readonly onError: OnError;
  /** Whether it has to be asked for by a message of its own, and not in a list. */
  isAlone = false;
  readonly stream = new RoomStream();
  readonly #session: FeedSession;
  readonly #isOfSocket: boolean;
  #own: OwnStatus;
  #shown: StateKind | undefined;
  /** Requests in a row that came to nothing. */
  #failures = 0;
  /** Whether there was a new token since the room was refused for want of one. */
  #isRenewed = false;
  #cancelTimer: () => void = () => {};

  constructor(room: string, session: FeedSession, onError: OnError) {
    this.room = room;
    this.onError = onError;
    this.#session = session;
    this.#isOfSocket = session.isOf(room);
    this.#own = this.#isOfSocket ? OPEN : CONNECTING;
  }

  get status(): ConnectionStatus {
    const { status } = this.#session;
    const own = this.#own;
    return status.state === 'open' || own.code ? { ...status, ...own } : status;
  }

  /** Whether no reader is left but the first, which reads for `client.on`. */
  get isLeft(): boolean {
    return this.stream.readers.length < 2;
  }

  get isDue(): boolean {
    const { state = 'connecting' } = this.#own;
    return state === 'connecting' && this.stream.isDue;
  }

  add(reader: Reader): void {
    this.stream.add(reader);
    this.ask();
  }

  remove(reader: Reader): void {
    this.stream.remove(reader);
    this.ask();
  }

  ask(): void {
    this.#session.changed();
  }

  /** What to ask the room, by a request of that id. */
  join(id: string): Request {
    const request = this.stream.join(id);
    this.#awaitAnswer(request.since && this.#isOfSocket ? ANSWER_WITHIN_MS : STATE_WITHIN_MS);
    return request;
  }

  /** The socket has opened; the address that names the room has asked it. */
  opened(): void {
    if (this.#isOfSocket && this.stream.isAsking) this.#awaitAnswer(STATE_WITHIN_MS);
  }

  receive(frame: LogFrame, length: number): void {
    if (!this.stream.receive(frame, length)) return;
    if (frame.type === 'events' || this.stream.isAsking) return;
    this.#failures = 0;
    this.#isRenewed = false;
    this.#become(OPEN);
    this.#judgeEpoch(frame.type === 'subscribed');
  }

  /** `isWhole`: the message was refused, and not the room. In a list it may be another's fault. */
  refused(code: string, reason: string, isWhole: boolean): void {
    if (isWhole && !this.isAlone) {
      this.isAlone = true;
      this.stream.failed(false);
      this.ask();
      return;
    }
    // Nobody is shown a state: the first reader reads what every socket brings.
    if (this.isLeft) this.onError(code, undefined, reason);
    const isOfToken = code.startsWith('token_') && !this.#isRenewed;
    const better = isOfToken ? this.#session.betterToken(code) : undefined;
    if (better) this.#awaitToken(better, reason);
    else if (FINAL.test(code)) this.#end(code, reason);
    else this.wait(reason);
  }

  /** The room is asked again, later. */
  wait(reason: string, isJoined = false): void {
    const { platform } = this.#session;
    const retryInMs = backoffMs(this.#failures++, platform.random, 0);
    this.stream.failed(isJoined);
    this.#become({ state: 'waiting', reason, retryInMs, failures: this.#failures });
    this.#cancelTimer = platform.after(retryInMs, () => this.#askAgain());
  }

  /** No reader is left that is shown how the room is doing. */
  leave(): void {
    const { status } = this;
    if (this.#shown) this.#session.showFeed(this, { ...status, ...LEFT });
    this.#shown = undefined;
  }

  disconnected(): void {
    this.stream.disconnected();
    this.#cancelTimer();
    this.#own = this.#isOfSocket ? OPEN : CONNECTING;
  }

  /** Tells how the room is doing, if that is news. */
  show(): void {
    const { status } = this;
    const { state } = status;
    if ((this.isLeft && !this.#shown) || (state === this.#shown && state !== 'waiting')) return;
    this.#shown = state;
    this.#session.showFeed(this, status);
    for (const reader of this.stream.readers) reader.showStatus(status);
  }

  #become(own: OwnStatus): void {
    this.#cancelTimer();
    this.#own = own;
    this.show();
  }

  #end(code: string, reason: string): void {
    this.#session.drop(this);
    this.#become({ state: 'stopped', code, reason });
  }

  #askAgain(): void {
    this.#become(CONNECTING);
    this.ask();
  }

  #awaitToken(token: Promise<unknown>, reason: string): void {
    this.stream.failed(false);
    const own: OwnStatus = { state: 'authorizing' };
    this.#become(own);
    token.then(
      () => {
        if (this.#own !== own) return;
        this.#isRenewed = true;
        this.#askAgain();
      },
      (error: unknown) => {
        if (this.#own !== own) return;
        this.onError('token_failed', error);
        this.wait(reason);
      },
    );
  }

  #awaitAnswer(ms: number): void {
    this.#cancelTimer();
    this.#failLater('no answer to subscribe', ms);
  }

  /** A room that answers with an older epoch for long is asked once more. */
  #judgeEpoch(isAnswer: boolean): void {
    if (!this.stream.readers.some(({ place }) => place.isStuck)) return;
    const reason = 'the room has gone back to an older epoch';
    if (isAnswer) this.onError('epoch_older', undefined, reason);
    this.#failLater(reason, ANSWER_WITHIN_MS);
  }

  #failLater(reason: string, ms: number): void {
    const { platform } = this.#session;
    this.#cancelTimer = platform.after(ms, () => this.#session.failed(this, reason));
  }
}
