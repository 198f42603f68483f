/**
 * One socket and the rooms that it brings: all of a client's over a relay, or the one that its address
 * names. What the rooms need is compared with what they were asked, and one message asks for all of it:
 * at once in a room's own socket, and over a relay when the present turn has ended, so that what is
 * joined, left and joined again within a turn costs one request.
 *
 * Everyone hears `system`: every socket brings it, and its feed stays as long as the session, unless the
 * client declines it. On a relay a subscription to `system` reads the same feed.
 *
 * Rejected: a request as soon as each room is subscribed to. A page joins its rooms together, and a
 * list costs the gateway one message.
 */
import {
  Connection,
  type ConnectionOptions,
  type ConnectionOwner,
} from '../connection/connection.ts';
import type { ConnectionStatus } from '../connection/connection-state.ts';
import type { Platform } from '../connection/platform.ts';
import {
  type LogFrame,
  type Message,
  type SocketError,
  systemRoom,
  type WantedRoom,
  type Welcome,
  write,
} from '../connection/wire.ts';
import type { OnError } from '../errors.ts';
import { Acks } from './acks.ts';
import { addressOf } from './address.ts';
import { type FeedSession, RoomFeed } from './room-feed.ts';
import { MAX_ROOM_LENGTH, normalForm } from './room-name.ts';
import type { Reader } from './room-stream.ts';
import type { SystemFeed } from './system-feed.ts';

/** How many rooms one message may name. */
const MAX_LISTED = 256;
/** Of a gateway that does not say how long a message may be. */
const MESSAGE_LENGTH = 8_192;

export interface SessionOptions extends ConnectionOptions {
  /** Of the gateway, `wss://gateway.example`. */
  readonly url: URL;
  /** The room of a socket of its own; undefined for a relay. */
  readonly room: string | undefined;
  /** Who hears `system` over every socket; undefined for nobody. */
  readonly system: SystemFeed | undefined;
  readonly errorsOf: (room?: string) => OnError;
  readonly onStatus: (status: ConnectionStatus, feed: RoomFeed) => void;
  /** The session has ended for good: another one may begin. */
  readonly onStopped: () => void;
}

export class Session implements ConnectionOwner, FeedSession {
  readonly connection: Connection;
  readonly onError: OnError;
  readonly platform: Platform;
  readonly #options: SessionOptions;
  /** By the normal form of their names. */
  readonly #feeds = new Map<string, RoomFeed>();
  /** The feed of `system` that every socket brings. */
  #system: RoomFeed | undefined;
  readonly #acks = new Acks();
  #messageLength = MESSAGE_LENGTH;
  #requests = 0;
  #isChanged = false;

  constructor(options: SessionOptions) {
    const { room, system, errorsOf, platform } = options;
    this.#options = options;
    this.platform = platform;
    this.onError = errorsOf(room);
    this.connection = new Connection(options, this);
    // The slowest rate where the room is the address's own, so that others decide how fast it runs.
    const maxRate = room === systemRoom ? 1 : undefined;
    if (system) this.#system = this.feedOf(systemRoom, () => system.reader(maxRate));
  }

  get status(): ConnectionStatus {
    return this.connection.status;
  }

  /** The rooms that somebody reads. */
  get feeds(): readonly RoomFeed[] {
    return [...this.#feeds.values()].filter(({ isLeft }) => !isLeft);
  }

  /** The feed of a room. The reader that `begin` makes reads for `client.on`, and stays. */
  feedOf(room: string, begin: (feed: RoomFeed) => Reader): RoomFeed {
    const name = normalForm(room);
    let feed = this.#feeds.get(name);
    if (!feed) {
      feed = new RoomFeed(room, this, this.#options.errorsOf(room));
      feed.isAlone = !this.#isRelay;
      feed.stream.add(begin(feed));
      this.#feeds.set(name, feed);
    }
    return feed;
  }

  isOf(room: string): boolean {
    return room === this.#options.room;
  }

  changed(): void {
    if (!this.#isRelay) this.#reconcile();
    else if (!this.#isChanged) {
      this.#isChanged = true;
      queueMicrotask(() => {
        this.#isChanged = false;
        this.#reconcile();
      });
    }
  }

  failed(feed: RoomFeed, reason: string): void {
    if (this.isOf(feed.room)) this.connection.dispatch('failed', { reason });
    // The request may still be answered.
    else feed.wait(reason, true);
  }

  betterToken(code: string): Promise<unknown> | undefined {
    return this.connection.betterToken(code);
  }

  drop(feed: RoomFeed): void {
    this.#feeds.delete(normalForm(feed.room));
    if (feed === this.#system) this.#system = undefined;
    this.changed();
  }

  showFeed(feed: RoomFeed, status: ConnectionStatus): void {
    this.#options.onStatus(status, feed);
  }

  address(home?: string): URL {
    const { url, room } = this.#options;
    const own = room === undefined ? undefined : this.#feeds.get(normalForm(room));
    const request = own?.stream.join();
    const system = own === this.#system ? undefined : this.#system?.stream.join();
    return addressOf({ url, room, request, system }, home);
  }

  welcomed({ limits }: Welcome): void {
    this.#acks.begin(Number(limits?.window));
    this.#messageLength = Number(limits?.messageLength) || MESSAGE_LENGTH;
    for (const feed of this.#feeds.values()) feed.opened();
  }

  receive(frame: LogFrame, length: number): void {
    const { room } = frame;
    const feed = this.#feeds.get(room);
    feed?.receive(frame, length);
    const seq = feed?.stream.arrivedWith(frame);
    if (seq !== undefined) this.#acks.arrived({ room, seq });
  }

  received(length: number): void {
    const ack = this.#acks.count(length);
    if (ack) this.connection.send(write({ type: 'ack', ...ack }));
    this.changed();
  }

  refused({ id, room, code }: SocketError, reason: string): void {
    const wanted = room && normalForm(String(room));
    let isTold = false;
    for (const [name, feed] of [...this.#feeds]) {
      const isNamed = wanted ? name === wanted : id;
      if (!isNamed || !feed.stream.isOf(id ?? undefined)) continue;
      // A request that is refused in a room's own socket may go by the address of another one.
      if (!this.isOf(feed.room)) feed.refused(code, reason, !wanted);
      else if (id) this.connection.dispatch('failed', { reason });
      else continue;
      isTold = true;
    }
    // What answers a request that was taken back concerns nobody.
    if (!isTold && !id) this.onError(code, undefined, reason, room);
  }

  disconnected(): void {
    for (const feed of this.#feeds.values()) feed.disconnected();
  }

  showStatus({ state }: ConnectionStatus): void {
    if (state === 'stopped') this.#options.onStopped();
    for (const feed of [...this.#feeds.values()]) feed.show();
  }

  get #isRelay(): boolean {
    return this.#options.room === undefined;
  }

  #reconcile(): void {
    if (this.feeds.length === 0) this.connection.dispatch('close');
    const left = this.#dropLeft();
    if (this.status.state !== 'open') return;
    this.#list(left, (rooms) => ({ type: 'unsubscribe', rooms }));
    const due = [...this.#feeds.values()].filter(({ isDue }) => isDue);
    for (const feed of due.filter(({ isAlone }) => isAlone)) {
      const id = this.#nextId();
      this.connection.send(write({ type: 'subscribe', id, ...this.#join(feed, id) }));
    }
    const id = this.#nextId();
    const listed = due.filter(({ isAlone }) => !isAlone).map((feed) => this.#join(feed, id));
    this.#list(listed, (rooms) => ({ type: 'subscribe', id, rooms }));
  }

  /** Gives the rooms that nobody reads any more and that the gateway still sends. */
  #dropLeft(): string[] {
    const joined: string[] = [];
    for (const [name, feed] of [...this.#feeds]) {
      if (!feed.isLeft) continue;
      if (feed !== this.#system) {
        this.#feeds.delete(name);
        this.#acks.forget(name);
        if (feed.stream.isJoined) joined.push(feed.room);
        feed.disconnected();
      }
      feed.leave();
    }
    return joined;
  }

  #join(feed: RoomFeed, id: string): WantedRoom {
    this.#acks.forget(normalForm(feed.room));
    // A longer name is refused at this length as well, and costs the others no space.
    return { room: feed.room.slice(0, MAX_ROOM_LENGTH + 1), ...feed.join(id) };
  }

  /** Sends a list in pieces that the gateway reads. */
  #list<Item>(rooms: readonly Item[], messageOf: (rooms: readonly Item[]) => Message): void {
    const { length } = rooms;
    if (length === 0) return;
    const text = write(messageOf(rooms));
    if (length > 1 && (length > MAX_LISTED || text.length > this.#messageLength)) {
      const half = length >> 1;
      this.#list(rooms.slice(0, half), messageOf);
      this.#list(rooms.slice(half), messageOf);
    } else this.connection.send(text);
  }

  #nextId(): string {
    return String(++this.#requests);
  }
}
