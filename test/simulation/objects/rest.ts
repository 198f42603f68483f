/**
 * The end of a life: nothing goes wrong any more, and time passes. Then everybody has everything, and
 * there is silence. An event that comes after that reaches everybody, though every object sleeps, and
 * costs each object one call. When nobody reads any more, an event costs no call at all.
 */
import type { Cursor } from '../../../worker/protocol/frames.ts';
import type { SavedChannel } from '../../../worker/room/follow/rows.ts';
import type { Content } from '../publishers.ts';
import { promise } from '../violation.ts';
import { Client, type Connection, type Manners } from './connection.ts';
import { FOLLOWED } from './settings.ts';
import type { World } from './world.ts';

/** By then all have everything: calls are given up after 10 s, and waits after a failure are short. */
const TO_CONVERGE = 120_000;
/** By then the platform has ended every call that has no answer. */
const TO_REST = 1_000_000;
const HOUR = 3_600_000;
/** In an hour an object may be woken to sweep its log, and to push what may be owed. */
const ALARMS_AN_HOUR = 3;
/** The levels that a tree may have, each of which leaves at an event. */
const MOST_LEVELS = 8;

interface Liver {
  readonly clients: readonly Client[];
  append(room: string, contents: readonly Content[]): boolean;
  open(
    client: Client,
    room: string,
    since: Cursor | undefined,
    system: Cursor | 'off' | undefined,
    manners: Manners,
  ): void;
}

export class Rest {
  readonly #world: World;
  readonly #life: Liver;

  constructor(world: World, life: Liver) {
    this.#world = world;
    this.#life = life;
  }

  async judge(): Promise<void> {
    const world = this.#world;
    world.note(() => 'nothing goes wrong any more');
    world.network.isFaulty = false;
    this.#readAll();
    await world.elapse(TO_CONVERGE);
    this.#judgeMembers('when nothing went wrong any more');
    await world.elapse(TO_REST);
    this.#judgeSilence();
    // A crash may have made an object forget who was told what: once it wakes it tells them again.
    await world.elapse(HOUR);
    await this.#judgeHour();
    await this.#judgeProbes();
    await this.#judgeEvent();
    this.#judgeTree();
    await this.#judgeLeaving();
  }

  get #connections(): Connection[] {
    return this.#life.clients.flatMap(({ connection }) => connection ?? []);
  }

  #readAll(): void {
    for (const connection of this.#connections) {
      connection.manners = { ...connection.manners, reads: true };
      this.#world.read(this.#world.object(connection.room), connection);
    }
  }

  #judgeMembers(when: string): void {
    for (const { client, streams } of this.#connections) {
      for (const stream of streams.values()) {
        const missing = stream.missing(this.#world.now());
        promise(missing === undefined, () => `${client.name} lacks something ${when}: ${missing}`);
      }
    }
  }

  #judgeSilence(): void {
    for (const object of this.#world.objects) promise(object.isIdle, () => object.business);
  }

  /** An hour in which nothing happens costs nothing but a few alarms. */
  async #judgeHour(): Promise<void> {
    const world = this.#world;
    const { calls } = world.network;
    const before = new Map(world.objects.map((object) => [object, object.alarms]));
    await world.elapse(HOUR);
    const made = world.network.calls - calls;
    promise(made === 0, () => `${made} calls in an hour in which nothing happened`);
    for (const [object, alarms] of before) {
      const rung = object.alarms - alarms;
      promise(rung <= ALARMS_AN_HOUR, () => `${rung} alarms of ${object.name} in a quiet hour`);
    }
    this.#judgeSilence();
  }

  /** Whoever comes now is shown what the root has, wherever it comes. */
  async #judgeProbes(): Promise<void> {
    const world = this.#world;
    this.#sleepAll();
    const probes = [0, 1].map((number) => new Client(`probe ${number}`));
    for (const probe of probes) {
      const room = world.random.some(world.settings.rooms) ?? FOLLOWED;
      this.#life.open(probe, room, undefined, undefined, { acks: false, reads: true });
    }
    await world.elapse(60_000);
    for (const { connection } of probes) {
      if (connection === undefined) continue;
      for (const stream of connection.streams.values()) {
        const missing = stream.missing(world.now());
        promise(missing === undefined, () => `${connection.client.name} lacks: ${missing}`);
      }
      const object = world.object(connection.room);
      connection.client.connection = undefined;
      world.lost(connection);
      object.disconnect(connection);
    }
    await world.elapse(60_000);
    this.#judgeSilence();
  }

  async #judgeEvent(): Promise<void> {
    const world = this.#world;
    // The first event finds out who has left without a word.
    for (const most of [Number.POSITIVE_INFINITY, world.objects.length]) {
      this.#sleepAll();
      const { calls } = world.network;
      this.#append();
      await world.elapse(60_000);
      this.#judgeMembers('after an event that came after the rest');
      const made = world.network.calls - calls;
      promise(made <= most, () => `${made} calls for one event, with ${most} objects`);
      this.#judgeSilence();
    }
  }

  /** Whoever needs the room follows one object, which knows it; and nobody follows two. */
  #judgeTree(): void {
    const { objects } = this.#world;
    for (const { name, hasReaders, disk, isRoot } of objects) {
      if (name === FOLLOWED) continue;
      const upstreams = objects.filter((other) => other.disk.followRow(FOLLOWED, name));
      const names = upstreams.map((upstream) => upstream.name).join();
      promise(upstreams.length <= 1, () => `${name} is a follower of ${names}`);
      const isNeeded =
        hasReaders || (!isRoot && disk.follow.some(({ follower }) => follower !== ''));
      if (!isNeeded) continue;
      const saved = disk.followRow(FOLLOWED, '')?.value ?? '{}';
      const { upstream = 'nobody' }: Partial<SavedChannel> = JSON.parse(saved);
      promise(upstream === names, () => `${name} follows ${upstream}, and is known to ${names}`);
    }
  }

  async #judgeLeaving(): Promise<void> {
    const world = this.#world;
    for (const connection of this.#connections) {
      const object = world.object(connection.room);
      connection.client.connection = undefined;
      world.lost(connection);
      object.disconnect(connection);
    }
    let made = 0;
    for (let level = 0; level <= MOST_LEVELS; level++) {
      const { calls } = world.network;
      if (world.random.chance(0.5)) this.#sleepAll();
      this.#append();
      await world.elapse(30_000);
      made = world.network.calls - calls;
    }
    promise(made === 0, () => `${made} calls for an event that nobody reads`);
    this.#judgeSilence();
    for (const { name, isRoot, disk } of world.objects) {
      promise(isRoot || disk.isEmpty, () => `${name} keeps something that nobody needs`);
    }
  }

  #append(): void {
    const content = { key: 0, size: 0, priority: 'high', lifetime: undefined } as const;
    promise(this.#life.append(FOLLOWED, [content]), () => 'the root was lost');
  }

  #sleepAll(): void {
    for (const object of this.#world.objects) object.sleep();
  }
}
