/** The client: its rooms, over one connection or each over its own, and what they share. */
import type { MaxRate } from '../protocol/messages.ts';
import type { ConnectionStatus, StateKind } from './connection/connection-state.ts';
import { type PlatformOptions, platformOf } from './connection/platform.ts';
import { heed } from './connection/surroundings.ts';
import { systemRoom } from './connection/wire.ts';
import { GatewayError } from './errors.ts';
import type { EventInfo, EventOfRoom, EventOfType, GatewayEvent } from './events.ts';
import { type Handler, Handlers } from './subscription/handlers.ts';
import type { Standing } from './subscription/reader/cursor.ts';
import type { Reader } from './subscription/reader/reader.ts';
import { RoomReader } from './subscription/reader/room-reader.ts';
import type { RoomFeed } from './subscription/room-feed.ts';
import { Session, type SharedOptions } from './subscription/session.ts';
import { cursorOf } from './subscription/since.ts';
import type { SubscribeOptions, Subscription } from './subscription/subscription.ts';
import { type Token, TokenSource } from './token.ts';

export interface GatewayClientOptions extends PlatformOptions {
  /** The address of the gateway: `wss://gateway.example`. */
  readonly url: string;
  /**
   * A JWT, or a function that gives one, now or as a promise; '' for no token. The function is asked
   * before the first connection, before the token ends, and when the token is refused. If it fails, it
   * is asked again after a wait.
   */
  readonly token?: Token;
  /**
   * `relay`, which is the default: one connection for all rooms. `room`: a connection for each, which
   * goes to where the room itself is.
   */
  readonly transport?: 'relay' | 'room';
  /**
   * Whether every connection brings `system`, the alerts and notifications to everyone, to the handlers
   * of `client.on`. True unless given.
   */
  readonly system?: boolean;
  /** Parses the text of a frame, for example keeping all digits. `JSON.parse` unless given. */
  readonly parse?: (text: string) => unknown;
}

/**
 * A client of the gateway. It connects when a room is subscribed to, comes back by itself whenever a
 * connection is lost, and then asks for what it missed. Each event is given once and in order, and
 * what cannot be had any more is reported as a gap.
 *
 * @throws {TypeError} when `url` is no URL.
 *
 * @example
 * const client = new GatewayClient({ url: 'wss://gateway.example', token: () => fetchToken() });
 * const subscription = client.subscribe('price:BTC-USDC', {
 *   onEvent: (event, { seq }) => console.log(seq, event.data.price),
 *   onGap: ({ from, to, reason }) => console.warn(`missing ${from} to ${to}: ${reason}`),
 *   maxRate: 5,
 * });
 * client.on('error', ({ code, message }) => console.warn(code, message));
 * // later
 * subscription.unsubscribe();
 * client.close();
 */
export class GatewayClient {
  readonly #shared: SharedOptions;
  readonly #transport: 'relay' | 'room';
  /** By the room that they are of; undefined for that of all rooms. */
  readonly #sessions = new Map<string | undefined, Session>();
  readonly #handlers = new Handlers();
  /** Up to where the handlers of `client.on` have heard `system`, over whichever sockets. */
  readonly #heard: Standing = { position: undefined, isConfirmed: false, isShared: true };
  readonly #closing = new AbortController();

  constructor(options: GatewayClientOptions) {
    const { token = '', parse = JSON.parse, system = true, transport = 'relay' } = options;
    this.#transport = transport;
    const url = new URL(options.url);
    url.protocol = url.protocol.replace('http', 'ws');
    const platform = platformOf(options);
    this.#shared = {
      url,
      platform,
      tokens: new TokenSource(token, platform),
      parse,
      handlers: this.#handlers,
      systemReader: system ? this.#hearSystem : undefined,
    };
    heed(
      platform.window,
      (event) => {
        for (const { connection } of this.#sessions.values()) connection.heed(event);
      },
      this.#closing.signal,
    );
  }

  /** `open` when every room is open, or else the state of one that is not; `idle` without rooms. */
  get status(): StateKind {
    if (this.#closing.signal.aborted) return 'stopped';
    const feeds = [...this.#sessions.values()].flatMap((session) => session.feeds);
    const states = feeds.filter(({ isLeft }) => !isLeft).map(({ status }) => status.state);
    return states.find((state) => state !== 'open') ?? states[0] ?? 'idle';
  }

  /**
   * Subscribes to a room. Several subscriptions to one room share what the gateway sends of it, at the
   * rate of the fastest of them, and all of them get their events at that rate.
   *
   * A room that refuses for good is reported as an `error`; it is `stopped`, and its status has the `code`.
   * To subscribe again tries it again, for example with a new token.
   *
   * @throws {GatewayError} `closed` when the client is closed; `cursor_invalid` when `since` is no
   *   cursor.
   *
   * @example
   * const { cursor } = client.subscribe('user:user-123', { onEvent: show, since: lastCursor });
   */
  subscribe<Room extends string, Event = EventOfRoom<Room>>(
    room: Room,
    options: SubscribeOptions<Event> = {},
  ): Subscription<Event> {
    if (this.#closing.signal.aborted)
      throw new GatewayError('closed', 'the client is closed', room);
    const since = cursorOf(options.since, room);
    const name = String(room);
    // Where the caller stands, all begin.
    if (name === systemRoom) this.#heard.position ??= since;
    const session = this.#sessionOf(this.#transport === 'room' ? name : undefined);
    const feed = session.feedOf(name, (feed) => {
      // The slowest rate, so that this reader does not decide how fast the room is sent.
      return new RoomReader<GatewayEvent>(feed, { onEvent: this.#emit, maxRate: 1, since });
    });
    const reader = new RoomReader<Event>(feed, { ...options, since });
    feed.add(reader);
    if (options.signal?.aborted) reader.unsubscribe();
    session.connection.dispatch('start');
    feed.reportStatus();
    return reader;
  }

  /**
   * Calls `handler` for each event of a type, in whatever room (snapshots included: see
   * `info.snapshot`), for each change of a room's `status`, or for each `error`. Without a handler
   * of `error`, errors go to the console. Events whose type is `status` or `error` are given to
   * subscriptions only. What is for everyone (the room `system`) comes over every connection, without a
   * subscription to it, and is given once.
   *
   * @returns a function that removes the handler.
   *
   * @example
   * const off = client.on('price_update', ({ symbol, data }) => show(symbol, data.price));
   * client.on('system_alert', ({ data }, { snapshot }) => showAlert(data, { isNew: !snapshot }));
   */
  on(kind: 'status', handler: (status: ConnectionStatus, room: string) => unknown): () => void;
  on(kind: 'error', handler: (error: GatewayError) => unknown): () => void;
  on<Type extends string>(
    type: Type,
    handler: (event: EventOfType<Type>, info: EventInfo) => unknown,
  ): () => void;
  on(kind: string, handler: Handler): () => void {
    return this.#handlers.add(kind, handler);
  }

  /**
   * Closes all connections, for good. Every loop over a subscription ends. Node's own WebSocket keeps
   * the process alive until the other side has closed too; the WebSocket of the `ws` package does not.
   */
  close(): void {
    this.#closing.abort();
    this.#shared.tokens.close();
    for (const { connection } of this.#sessions.values()) connection.dispatch('close');
  }

  #sessionOf(room: string | undefined): Session {
    const known = this.#sessions.get(room);
    if (known) return known;
    const session = new Session({
      ...this.#shared,
      room,
      // The next subscription begins anew.
      onStopped: () => this.#sessions.delete(room),
    });
    this.#sessions.set(room, session);
    const isOffline = this.#shared.platform.window.navigator?.onLine === false;
    if (isOffline) session.connection.dispatch('offline');
    return session;
  }

  /**
   * Reads `system` for the handlers of its types, over one more socket: an alert that comes over each is
   * delivered once, and a socket that comes back goes on from what any of them has brought.
   */
  readonly #hearSystem = (feed: RoomFeed, maxRate?: MaxRate): Reader =>
    new RoomReader<GatewayEvent>(feed, {
      onEvent: this.#emit,
      onGap: (gap) => feed.onError('system_gap', gap, 'some alerts are lost'),
      maxRate,
      shared: this.#heard,
    });

  /** Calls the handlers of an event's type. */
  readonly #emit = (event: GatewayEvent, info: EventInfo): void => {
    const { type } = event;
    if (this.#closing.signal.aborted || type === 'error' || type === 'status') return;
    this.#handlers.emit(type, event, info.room, info);
  };
}
