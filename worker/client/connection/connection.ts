/**
 * One WebSocket and its successors: does what `connection-state.ts` decides. It knows the frames
 * that are about the connection (`welcome`, `shutdown`, what answers `auth`), and hands all others on.
 */

import { messageOf } from '../errors.ts';
import { PROBE_EVERY_MS, REFUSAL_WITHIN_MS, STEADY_MS, WELCOME_WITHIN_MS } from '../waits.ts';
import { backoffMs } from './backoff.ts';
import { askWhy, endingOfClose } from './close-verdict.ts';
import type { ConnectionOptions, ConnectionOwner } from './connection-owner.ts';
import {
  type BrowserEvent,
  type ConnectionEvent,
  type ConnectionState,
  type ConnectionStatus,
  type Ending,
  INITIAL_STATE,
  transition,
} from './connection-state.ts';
import { framesOf } from './frames-of.ts';
import { Heartbeat, type Pulse, TICK_MS } from './heartbeat.ts';
import type { Socket, SocketEvent } from './platform.ts';
import { bearerPrefix, type Frame, pong, type SocketError, subprotocol, write } from './wire.ts';

const AUTH_ID = 'auth';
const NOTICE = 'a part of the token is ignored';
export class Connection {
  readonly #options: ConnectionOptions;
  readonly #owner: ConnectionOwner;
  #state: ConnectionState = INITIAL_STATE;
  /** Aborted when the present state is left: ends what that has begun. */
  #stay = new AbortController();
  #socket: Socket | undefined;
  #heartbeat: Heartbeat | undefined;
  #home: string | undefined;
  /** Whether the last attempt went home. */
  #wentHome = false;
  /** That of the last attempt; '' for none. */
  #token = '';
  /** Whether the token is left out: something on the way may spoil an upgrade with subprotocols. */
  #isBare = false;
  /** Whether no socket has opened since that changed. */
  #isLost = false;

  constructor(options: ConnectionOptions, owner: ConnectionOwner) {
    this.#options = options;
    this.#owner = owner;
  }

  get status(): ConnectionStatus {
    return this.#state;
  }

  /** What happened; the state decides what comes of it. */
  dispatch(...event: ConnectionEvent): void {
    const before = this.#state;
    const state = transition(before, ...event);
    this.#state = state;
    if (state.state === before.state) return;
    this.#stay.abort();
    const stay = new AbortController();
    this.#stay = stay;
    if (state.state !== 'open') this.#dropSocket();
    this.#enter(state);
    // What was begun may have failed at once, and then its own status has been reported.
    if (this.#stay === stay) this.#owner.statusChanged(this.#state);
  }

  /** What the browser says is also a reason to doubt an open socket. */
  heed(event: BrowserEvent): void {
    this.dispatch(event);
    this.#follow(this.#heartbeat?.doubt(this.#options.platform.now()));
  }

  /** Sends over an open socket; what is sent otherwise is lost. */
  send(text: string): void {
    if (this.#state.state === 'open') this.#socket?.send(text);
  }

  /** Gives when there may be a better token than the one that was refused; undefined if there is none. */
  betterToken(): Promise<unknown> | undefined {
    const { tokens } = this.#options;
    // However new it is: since it was given, its owner may have logged in.
    if (tokens.refused(this.#token, 'token_expired')) return tokens.obtain();
    if (!this.#isBare || !this.#token) return undefined;
    // The gateway has not seen it.
    this.#renewToken(this.#token);
    return Promise.resolve();
  }

  #enter(state: ConnectionState): void {
    switch (state.state) {
      case 'authorizing':
        this.#obtainToken();
        break;
      case 'connecting':
        this.#connect();
        break;
      case 'open':
        this.#watch();
        break;
      case 'asking':
        this.#ask();
        break;
      case 'waiting': {
        const { random } = this.#options.platform;
        const retryInMs = backoffMs(state.failures - 1, random, state.floorMs);
        this.#state = { ...state, retryInMs };
        this.#after(retryInMs, 'due');
        break;
      }
      case 'offline':
        this.#after(PROBE_EVERY_MS, 'due');
        break;
    }
  }

  /** Tells `event` in a while, unless the present state is left before. */
  #after(ms: number, ...event: ConnectionEvent): void {
    const cancel = this.#options.platform.after(ms, () => this.dispatch(...event));
    this.#stay.signal.addEventListener('abort', cancel);
  }

  #obtainToken(): void {
    const { signal } = this.#stay;
    this.#options.tokens.obtain().then(
      (token) => {
        if (signal.aborted) return;
        this.#token = token;
        this.dispatch('token');
      },
      (error: unknown) => {
        if (signal.aborted) return;
        this.#owner.onError('token_failed', error);
        this.dispatch('failed', { reason: `no token (${messageOf(error)})` });
      },
    );
  }

  #connect(): void {
    const { WebSocket } = this.#options.platform;
    const token = this.#token;
    const bearer = token ? [bearerPrefix + token] : [];
    const protocols = this.#isBare ? [] : [subprotocol, ...bearer];
    const home = this.#home;
    // One attempt goes home; unless a welcome says so again, the next goes to where all begin.
    this.#home = undefined;
    this.#wentHome = home !== undefined;
    let socket: Socket;
    try {
      socket = new WebSocket(this.#owner.address(home).href, protocols);
    } catch (error) {
      // What no WebSocket takes, an address or a token, it would not take later either.
      this.dispatch('failed', { code: 'address_invalid', reason: messageOf(error) });
      return;
    }
    this.#socket = socket;
    this.#after(WELCOME_WITHIN_MS, 'failed', { reason: 'no welcome in time' });
    // What fails closes too; but where nobody listens the `ws` package ends the process.
    socket.addEventListener('error', () => {});
    const listen = (type: 'message' | 'close', listener: (event: SocketEvent) => void) =>
      socket.addEventListener(type, (event) => {
        // A socket that was dropped goes on telling.
        if (this.#socket === socket) listener(event);
      });
    listen('message', ({ data }) => this.#hear(data));
    listen('close', ({ code = 0, reason = '' }) => this.#end('ended', endingOfClose(code, reason)));
  }

  #dropSocket(): void {
    const socket = this.#socket;
    this.#socket = undefined;
    this.#heartbeat = undefined;
    socket?.close();
    socket?.terminate?.();
    this.#owner.disconnected();
  }

  #ask(): void {
    const { signal } = this.#stay;
    this.#after(REFUSAL_WITHIN_MS, 'failed', { reason: 'no answer' });
    // A home that is gone refuses for itself only: the place where all begin decides.
    const address = this.#owner.address();
    void askWhy(address, this.#token, this.#options.platform, signal).then((ending) => {
      if (!signal.aborted) this.#end('failed', ending);
    });
  }

  /** What ends for want of a good token ends for good only when no better one can be had. */
  #end(event: 'ended' | 'failed', ending: Ending): void {
    const { code = '', reason, isAdmitted } = ending;
    // Of a home that refuses, the place where all begin knows nothing.
    if (isAdmitted && !this.#wentHome) this.#changeWay();
    const mends = code.startsWith('token_') && this.#options.tokens.refused(this.#token, code);
    this.dispatch(event, mends ? { reason } : ending);
  }

  #watch(): void {
    const { platform, tokens } = this.#options;
    const heartbeat = new Heartbeat(platform.now());
    this.#heartbeat = heartbeat;
    this.#after(STEADY_MS, 'steady');
    const tick = () => {
      cancel = platform.after(TICK_MS, tick);
      this.#follow(heartbeat.tick(platform.now()));
    };
    let cancel = platform.after(TICK_MS, tick);
    const unfollow = tokens.follow(this.#token, {
      renew: (token) => this.#renewToken(token),
      failed: (error) => this.#owner.onError('token_failed', error),
    });
    this.#stay.signal.addEventListener('abort', () => {
      cancel();
      unfollow();
    });
  }

  /** When an upgrade is lost, the other way of asking may get through. If neither does, that is reported. */
  #changeWay(): void {
    if (this.#isBare && this.#isLost) {
      this.#owner.onError('upgrade_lost', undefined, 'the upgrade was lost');
    }
    this.#isBare = !this.#isBare;
    this.#isLost = true;
  }

  #follow(pulse: Pulse | undefined): void {
    if (pulse === 'ping') this.send(pulse);
    if (pulse === 'dead') this.dispatch('failed', { reason: 'no answer to a ping' });
  }

  /** Over the open socket. When that fails, the old token's end brings a reconnect. */
  #renewToken(token: string): void {
    // One that was left out brings what it opens.
    if (token === this.#token && !this.#isBare) return;
    this.#token = token;
    this.send(write({ type: 'auth', id: AUTH_ID, token }));
  }

  #hear(data: unknown): void {
    this.#heartbeat?.heard();
    if (data === pong) return;
    const text = String(data);
    const socket = this.#socket;
    for (const frame of framesOf(text, this.#options.parse, this.#owner.onError)) {
      this.#obey(frame);
      // It may have ended the socket.
      if (this.#socket !== socket) return;
    }
    this.#owner.received(text.length);
  }

  #obey(frame: Frame): void {
    const owner = this.#owner;
    switch (frame.type) {
      case 'welcome':
        this.#home = frame.home;
        this.#isLost = false;
        if (this.#isBare && this.#token) {
          owner.onError('token_lost', undefined, 'the token was lost');
        }
        for (const notice of [frame.notices ?? []].flat()) owner.onError(notice, undefined, NOTICE);
        this.#options.tokens.accepted(this.#token, Number(frame.expiresAt));
        owner.welcomed(frame);
        this.dispatch('opened');
        break;
      case 'shutdown':
        this.dispatch('shutdown', { reason: '', floorMs: frame.retryAfter });
        break;
      case 'error':
        this.#refused(frame);
        break;
      default:
        owner.receive(frame);
    }
  }

  #refused(error: SocketError): void {
    const { id, code, message } = error;
    const reason = `refused (${code}: ${message})`;
    if (id === AUTH_ID) {
      this.#options.tokens.refused(this.#token, code);
      this.dispatch('failed', { reason });
    } else this.#owner.refused(error, reason);
  }
}
