/** The process of the clients, see clients.ts. */
import { deepStrictEqual } from 'node:assert';
import { answer } from '../../support/asked-process.ts';
import { RawWebSocket } from '../../support/raw-websocket.ts';
import { clock } from '../../support/uniform-events.ts';
import type { ClientsJoin, ClientsReport } from './clients.ts';
import { DIALECTS } from './dialects.ts';
import { FrameReader } from './frame-reader.ts';
import { Latencies } from './latencies.ts';
import { composeTagged, eachTag, roomOf, type Tag } from './tagged-events.ts';

const CONCURRENT_JOINS = 50;

interface Member {
  readonly symbols: readonly number[];
  readonly socket: RawWebSocket;
}

let clients: Clients | undefined;

const handlers = {
  async join(join: ClientsJoin): Promise<void> {
    clients?.leave();
    clients = new Clients(join);
    await clients.join();
  },
  begin(next: readonly number[], isVerified: boolean): void {
    clients?.begin(next, isVerified);
  },
  reach(last: readonly number[], deadlineMs: number): Promise<ClientsReport> {
    if (clients === undefined) throw new Error('nobody has joined');
    return clients.reach(last, deadlineMs);
  },
  leave(): void {
    clients?.leave();
    clients = undefined;
  },
};
export type ClientHandlers = typeof handlers;

answer(handlers);

class Clients {
  readonly #join: ClientsJoin;
  readonly #reader = new FrameReader();
  readonly #members: Member[] = [];
  /** For each socket, by symbol, the number of the event that comes next. */
  #next: number[][] = [];
  #isVerified = false;
  readonly #latencies = new Latencies();
  #count = { delivered: 0, frames: 0, leftOut: 0, repeated: 0 };
  #ended: Record<string, number> = {};
  #began = { at: 0, cpu: process.cpuUsage() };
  #lastAt = 0;
  /** The last event that is awaited, by symbol; how many subscriptions do not have it; whom to notify. */
  #last: readonly number[] = [];
  #behind = 0;
  #reached: () => void = () => {};

  constructor(join: ClientsJoin) {
    this.#join = join;
  }

  async join(): Promise<void> {
    const queue = this.#join.subscriptions.entries();
    const joinSome = async () => {
      for (const [index, symbols] of queue) await this.#joinOne(index, symbols);
    };
    await Promise.all(Array.from({ length: CONCURRENT_JOINS }, joinSome));
  }

  begin(next: readonly number[], isVerified: boolean): void {
    this.#next = this.#members.map(() => [...next]);
    this.#isVerified = isVerified;
    this.#latencies.clear();
    this.#count = { delivered: 0, frames: 0, leftOut: 0, repeated: 0 };
    this.#ended = {};
    this.#began = { at: clock(), cpu: process.cpuUsage() };
    this.#lastAt = clock();
  }

  async reach(last: readonly number[], deadlineMs: number): Promise<ClientsReport> {
    this.#last = last;
    this.#behind = this.#missing().filter((count) => count > 0).length;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#reached = resolve;
    const deadline = setTimeout(resolve, deadlineMs);
    if (this.#behind > 0) await promise;
    clearTimeout(deadline);
    this.#last = [];
    const { at, cpu } = this.#began;
    const { user, system } = process.cpuUsage(cpu);
    return {
      ...this.#count,
      missing: this.#missing(last).reduce((sum, count) => sum + count, 0),
      ended: this.#ended,
      took: this.#lastAt - at,
      cpuShare: (user + system) / 1000 / (clock() - at),
      latency: { p50: this.#latencies.quantile(0.5), p99: this.#latencies.quantile(0.99) },
    };
  }

  leave(): void {
    for (const { socket } of this.#members) socket.cut();
  }

  async #joinOne(index: number, symbols: readonly number[]): Promise<void> {
    const { name, url } = this.#join;
    const dialect = DIALECTS[name];
    const rooms = symbols.map(roomOf);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    let socket: RawWebSocket | undefined;
    const say = (text: string) => socket?.send(text);
    let hasJoined = false;
    let take: ((text: string) => boolean) | undefined;
    const early: string[] = [];
    const join = (text: string) => {
      if (take === undefined) {
        early.push(text);
      } else if (take(text)) {
        hasJoined = true;
        resolve();
      }
    };
    socket = await RawWebSocket.open(url + dialect.path(rooms), {
      text: (frame) => {
        if (!hasJoined) join(frame.toString());
        else if (dialect.bringsEvents(frame, say)) this.#take(index, frame);
      },
      ended: (how) => {
        reject(new Error(how));
        this.#ended[how] = (this.#ended[how] ?? 0) + 1;
      },
    });
    this.#members[index] = { symbols, socket };
    take = dialect.join(rooms, say);
    for (const text of early) join(text);
    await promise;
  }

  #take(index: number, frame: Buffer): void {
    const now = clock();
    this.#count.frames++;
    this.#lastAt = now;
    if (this.#isVerified) verify(DIALECTS[this.#join.name].eventsOf(frame.toString()), frame);
    const next = this.#next[index] ?? [];
    this.#reader.read(frame, (tag) => this.#note(next, tag, now));
  }

  #note(next: number[], { symbol, number, at }: Tag, now: number): void {
    const expected = next[symbol];
    if (expected === undefined || number < expected) {
      this.#count.repeated++;
      return;
    }
    this.#count.leftOut += number - expected;
    this.#count.delivered++;
    this.#latencies.note(now - at);
    next[symbol] = number + 1;
    const awaited = this.#last[symbol] ?? Number.POSITIVE_INFINITY;
    if (expected <= awaited && number >= awaited && --this.#behind === 0) this.#reached();
  }

  /** For each subscription, how many events it has not. */
  #missing(last = this.#last): number[] {
    return this.#members.flatMap(({ symbols }, index) =>
      symbols.map((symbol) =>
        Math.max(0, (last[symbol] ?? 0) + 1 - (this.#next[index]?.[symbol] ?? 0)),
      ),
    );
  }
}

/** That the tags are all there is in a frame, and that its events are what was produced. */
function verify(events: readonly unknown[], frame: Buffer): void {
  let index = 0;
  eachTag(frame, (tag) => {
    deepStrictEqual(events[index++], JSON.parse(composeTagged(tag)));
  });
  if (index !== events.length) throw new Error('an event has no tag');
}
