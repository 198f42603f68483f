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

import type { ClientMessage, MaxRate } from '../../protocol/messages.ts';
import { Connection } from '../connection/connection.ts';
import type { ConnectionOptions, ConnectionOwner } from '../connection/connection-owner.ts';
import type { ConnectionStatus } from '../connection/connection-state.ts';
import {
  type LogFrame,
  type SocketError,
  systemRoom,
  type Welcome,
  write,
} from '../connection/wire.ts';
import type { OnError } from '../errors.ts';
import { Acks } from './acks.ts';
import { addressOf } from './address.ts';
import type { Handlers } from './handlers.ts';
import type { Reader } from './reader/reader.ts';
import { type FeedSession, RoomFeed } from './room-feed.ts';
import { MAX_LISTED, MAX_ROOM_LENGTH, normalForm } from './room-name.ts';
import { textOf } from './since.ts';

/** What all sessions of a client share. */
export interface SharedOptions extends ConnectionOptions {
  /** The address of the gateway: `wss://gateway.example`. */
  readonly url: URL;
  readonly handlers: Handlers;
  /** Makes the reader that hears `system` over every socket; undefined for none. */
  readonly systemReader: ((feed: RoomFeed, maxRate?: MaxRate) => Reader) | undefined;
}

export interface SessionOptions extends SharedOptions {
  /** The room of a socket of its own; undefined for a relay. */
  readonly room: string | undefined;
  /** The session has ended for good: another one may begin. */
  readonly onStopped: () => void;
}

export class Session implements ConnectionOwner, FeedSession {
  readonly connection: Connection;
  readonly options: SessionOptions;
  readonly onError: OnError;
  /** By the normal form of their names. */
  readonly #feeds = new Map<string, RoomFeed>();
  /** The feed of `system` that every socket brings. */
  readonly #system: RoomFeed | undefined;
  readonly #acks = new Acks();
  /** Whether one message may ask for several rooms. */
  #mayList: boolean;
  /** Rooms that were asked for and that nobody reads any more. */
  #left: string[] = [];
  #messageLength = 0;
  #requests = 0;
  /** Whether the end of the turn is to look at what has changed. */
  #isChanged = false;

  constructor(options: SessionOptions) {
    const { room, systemReader, handlers } = options;
    this.options = options;
    this.#mayList = room === undefined;
    this.onError = handlers.errorsOf(room);
    this.connection = new Connection(options, this);
    // The slowest rate where the address names the room, so that others decide how fast it is sent.
    const maxRate = room === systemRoom ? 1 : undefined;
    if (systemReader) this.#system = this.feedOf(systemRoom, (feed) => systemReader(feed, maxRate));
  }

  get feeds(): RoomFeed[] {
    return [...this.#feeds.values()];
  }

  /** The feed of a room, with the reader that `begin` makes if it is new. */
  feedOf(room: string, begin: (feed: RoomFeed) => Reader): RoomFeed {
    const name = normalForm(room);
    const feed = this.#feeds.get(name) ?? new RoomFeed(room, this, begin);
    this.#feeds.set(name, feed);
    return feed;
  }

  changed(): void {
    if (this.options.room !== undefined) this.#reconcile();
    else if (!this.#isChanged) queueMicrotask(() => this.#reconcile());
    this.#isChanged = true;
  }

  drop({ id, room }: RoomFeed): void {
    this.#feeds.delete(normalForm(room));
    this.#acks.newest = undefined;
    if (id) this.#left.push(room);
    this.changed();
  }

  address(home?: string): URL {
    const { url, room } = this.options;
    const address = addressOf(url, room, home);
    const add = (name: string, value: unknown) =>
      value && address.searchParams.set(name, String(value));
    const own = this.feeds.find(({ isOwn }) => isOwn);
    const { since, maxRate } = own?.join() ?? {};
    add('since', textOf(since));
    add('maxRate', maxRate);
    const system = this.#system;
    if (room !== systemRoom) add(systemRoom, system ? textOf(system.join().since) : 'off');
    return address;
  }

  welcomed({ limits }: Welcome): void {
    this.#acks.begin(Number(limits?.window));
    this.#messageLength = Number(limits?.messageLength);
  }

  receive(frame: LogFrame): void {
    const { room } = frame;
    const seq = this.#feeds.get(normalForm(room))?.receive(frame);
    if (seq !== undefined) this.#acks.newest = { room, seq };
  }

  received(length: number): void {
    const ack = this.#acks.count(length);
    if (ack) this.connection.send(write({ type: 'ack', ...ack }));
    this.changed();
  }

  refused({ id, room, code }: SocketError, reason: string): void {
    const named = room && this.#feeds.get(normalForm(String(room)));
    const feeds = this.feeds.filter(
      (feed) => (room ? feed === named : id) && (id ? feed.id === id : !feed.isOwn),
    );
    // A list may be refused as a whole for the fault of one room: then each is asked by itself.
    const isList = this.#mayList && !room;
    if (isList) this.#mayList = false;
    for (const feed of feeds) {
      // What is refused over a room's own socket may go by the address of another one.
      if (feed.isOwn) this.connection.dispatch('failed', { reason });
      else if (isList) feed.askAgain();
      else feed.refused(code, reason);
    }
    // What answers a request that was taken back concerns nobody.
    if (!id && feeds.length === 0) this.onError(code, undefined, reason, room);
  }

  disconnected(): void {
    this.#left = [];
    for (const feed of this.feeds) feed.disconnected();
  }

  statusChanged({ state }: ConnectionStatus): void {
    const feeds = this.feeds;
    if (state === 'stopped') {
      this.#feeds.clear();
      this.options.onStopped();
    }
    for (const feed of feeds) feed.reportStatus();
  }

  /** Tells the gateway what has changed: which rooms are left, and what the others need. */
  #reconcile(): void {
    this.#isChanged = false;
    const { connection } = this;
    if (this.feeds.every(({ isLeft }) => isLeft)) connection.dispatch('close');
    for (const feed of this.feeds) {
      if (feed.isLeft && feed !== this.#system) feed.end('closed', 'unsubscribed');
    }
    if (connection.status.state !== 'open') return;
    this.#list(this.#left.splice(0), (rooms) => ({ type: 'unsubscribe', id: 'left', rooms }));
    const due = this.feeds.filter(({ isDue }) => isDue);
    if (this.#mayList) this.#ask(due);
    else for (const feed of due) this.#ask([feed]);
  }

  #ask(feeds: readonly RoomFeed[]): void {
    if (feeds.length === 0) return;
    const id = String(++this.#requests);
    this.#acks.newest = undefined;
    // A longer name is refused at this length as well, and takes no space of the others.
    const rooms = feeds.map((feed) => ({
      room: feed.room.slice(0, MAX_ROOM_LENGTH + 1),
      ...feed.join(id),
    }));
    const [first] = rooms;
    if (first && rooms.length === 1) {
      this.connection.send(write({ type: 'subscribe', id, ...first }));
    } else this.#list(rooms, (part) => ({ type: 'subscribe', id, rooms: part }));
  }

  /** Sends a list in pieces that the gateway reads. */
  #list<Item>(rooms: Item[], messageOf: (rooms: Item[]) => ClientMessage): void {
    const { length } = rooms;
    const text = write(messageOf(rooms));
    if (length > 1 && (length > MAX_LISTED || text.length > this.#messageLength)) {
      const half = length >> 1;
      this.#list(rooms.slice(0, half), messageOf);
      this.#list(rooms.slice(half), messageOf);
    } else if (length) this.connection.send(text);
  }
}
