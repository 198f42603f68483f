/**
 * The end of a life: nothing goes wrong any more, and time passes. Then everybody has everything, and
 * there is silence. An event that comes after that reaches everybody, though every object sleeps, and
 * costs each object one call. When nobody reads any more, an event costs no call at all.
 */
import type { SavedChannel } from '../../../worker/room/follow/rows.ts';
import { isPrivate } from '../../../worker/room/session/admission/admission.ts';
import { promise } from '../violation.ts';
import type { Actors } from './actors.ts';
import { Client, type Connection } from './connection.ts';
import { FOLLOWED, grantedRooms, isFollowed } from './settings.ts';
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

export class Rest {
  readonly #world: World;
  readonly #actors: Actors;
  /** The rooms that objects follow. */
  readonly #followed: readonly string[];

  constructor(actors: Actors) {
    const { world } = actors;
    const { settings } = world;
    this.#world = world;
    this.#actors = actors;
    this.#followed = [FOLLOWED, ...settings.rooms.filter((room) => isFollowed(room, settings))];
  }

  async judge(): Promise<void> {
    const world = this.#world;
    world.note(() => 'nothing goes wrong any more');
    world.network.isFaulty = false;
    this.#readAll();
    await world.elapse(TO_CONVERGE);
    this.#judgeMembers('when nothing went wrong any more');
    this.#fillEmptyRooms();
    await world.elapse(TO_REST);
    this.#judgeSilence();
    // A crash may have made an object forget who was told what: once it wakes it tells them again.
    await world.elapse(HOUR);
    await this.#judgeHour();
    await this.#judgeProbes();
    await this.#judgeEvent();
    for (const room of this.#followed) this.#judgeTree(room);
    await this.#judgeLeaving();
  }

  get #connections(): Connection[] {
    return this.#actors.clients.flatMap(({ connection }) => connection ?? []);
  }

  #readAll(): void {
    for (const connection of this.#connections) {
      connection.manners = { ...connection.manners, reads: true };
      this.#world.read(this.#world.object(connection.object), connection);
    }
  }

  #judgeMembers(when: string): void {
    for (const connection of this.#connections) {
      const missing = connection.missing(this.#world.now());
      const { name } = connection.client;
      promise(missing === undefined, () => `${name} lacks something ${when}: ${missing}`);
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
    const manners = { acks: false, reads: true };
    const probes = [0, 1].map((number) => new Client(`probe ${number}`));
    const granted = grantedRooms(world.settings);
    const open = world.settings.rooms.filter((room) => !granted.includes(room));
    for (const probe of probes) {
      const room = world.random.some(open) ?? FOLLOWED;
      this.#actors.open(probe, room, { system: undefined, manners });
    }
    for (const relay of world.settings.relays) {
      const probe = new Client(`probe of ${relay}`);
      this.#actors.openAtRelay(probe, relay, { system: undefined, manners }, undefined);
      const rooms = world.settings.rooms.filter((room) => !isPrivate(room)).slice(0, 9);
      for (const room of rooms) probe.connection?.asks(room, 'p', undefined, world.now());
      const message = { type: 'subscribe', id: 'p', rooms: rooms.map((room) => ({ room })) };
      if (probe.connection !== undefined) this.#actors.say(probe.connection, message);
      probes.push(probe);
    }
    await world.elapse(60_000);
    for (const { connection } of probes) {
      if (connection === undefined) continue;
      const missing = connection.missing(world.now());
      promise(missing === undefined, () => `${connection.client.name} lacks: ${missing}`);
      for (const [room, stream] of connection.streams) {
        promise(stream.isMember, () => `${connection.client.name} is no member of ${room}`);
      }
      this.#leave(connection);
    }
    await world.elapse(60_000);
    this.#judgeSilence();
  }

  async #judgeEvent(): Promise<void> {
    const world = this.#world;
    // The first event finds out who has left without a word.
    for (const isFirst of [true, false]) {
      this.#sleepAll();
      const { calls } = world.network;
      const most = isFirst ? Number.POSITIVE_INFINITY : this.#countFollowers();
      this.#append();
      await world.elapse(60_000);
      this.#judgeMembers('after an event that came after the rest');
      const made = world.network.calls - calls;
      promise(made <= most, () => `${made} calls for one event, with ${most} followers`);
      this.#judgeSilence();
    }
  }

  /** Whoever needs a room follows one object, which knows it; and nobody follows two. */
  #judgeTree(room: string): void {
    const { objects } = this.#world;
    for (const object of objects) {
      const { name, disk } = object;
      if (name === room) continue;
      const upstreams = objects.filter((other) => other.disk.followRow(room, name));
      const names = upstreams.map((upstream) => upstream.name).join();
      promise(upstreams.length <= 1, () => `${name} is a follower of ${names}`);
      const isFollowedHere = disk.follow.some((row) => row.room === room && row.follower !== '');
      if (!object.reads(room) && !isFollowedHere) continue;
      const saved = disk.followRow(room, '')?.value ?? '{}';
      const { upstream = 'nobody' }: Partial<SavedChannel> = JSON.parse(saved);
      promise(upstream === names, () => `${name} follows ${upstream}, and is known to ${names}`);
    }
  }

  async #judgeLeaving(): Promise<void> {
    const world = this.#world;
    for (const connection of this.#connections) this.#leave(connection);
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

  /** A room without any event asks its followers now and then whether they still want it. */
  #fillEmptyRooms(): void {
    for (const room of this.#followed) {
      if (room === FOLLOWED || this.#world.truth(room).head > 0) continue;
      this.#actors.append(room, [{ key: 0, size: 0, priority: 'high', lifetime: undefined }]);
    }
  }

  #leave(connection: Connection): void {
    connection.client.connection = undefined;
    this.#world.lost(connection);
    this.#world.object(connection.object).disconnect(connection);
  }

  #countFollowers(): number {
    const rows = this.#world.objects.flatMap(({ disk }) => disk.follow);
    return rows.filter(({ follower }) => follower !== '').length;
  }

  /** An event for each room that objects follow. */
  #append(): void {
    const content = { key: 0, size: 0, priority: 'high', lifetime: undefined } as const;
    for (const room of this.#followed) {
      promise(this.#actors.append(room, [content]), () => 'the root was lost');
    }
  }

  #sleepAll(): void {
    for (const object of this.#world.objects) object.sleep();
  }
}
