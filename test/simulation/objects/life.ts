/**
 * A life: some hundred operations, drawn from a seed, with everything going wrong that can; then rest. In
 * lives of this kind, the sockets are held by rooms that follow one room.
 */
import { Actors, DAY } from './actors.ts';
import type { Client, Connection } from './connection.ts';
import { type Coverage, TO_BE_MET } from './coverage.ts';
import type { Random } from './random.ts';
import { Rest } from './rest.ts';
import { drawSettings, FOLLOWED } from './settings.ts';
import type { Kind, World } from './world.ts';

export const KIND: Kind = { drawSettings, toBeMet: TO_BE_MET };

const OPERATIONS = { least: 200, most: 260 };

export interface Lived {
  readonly operations: number;
  readonly coverage: Coverage;
}

/** Lives a life. It throws a `Violation` when a promise is broken. */
export async function live(world: World): Promise<Lived> {
  const life = new Life(world);
  await life.live();
  return { operations: life.operations, coverage: life.world.coverage };
}

class Life {
  readonly world: World;
  operations = 0;
  readonly #random: Random;
  readonly #actors: Actors;

  constructor(world: World) {
    this.world = world;
    this.#random = world.random;
    this.#actors = new Actors(world);
  }

  async live(): Promise<void> {
    const count = this.#random.between(OPERATIONS.least, OPERATIONS.most);
    // A life begins with most of its clients, so that the tree grows early.
    for (const client of this.#actors.clients) {
      this.#connect(client, this.#roomFor());
      await this.#actors.pause();
    }
    while (this.operations < count) {
      this.#operate();
      this.operations++;
      await this.#actors.pause();
    }
    await new Rest(this.#actors).judge();
  }

  #connect(client: Client, room: string): void {
    const random = this.#random;
    const { world } = this;
    if (client.connection !== undefined) this.#actors.leave(client);
    const followed = client.cursors.get(FOLLOWED);
    const choice = random.pick(['none', 'cursor', 'cursor', 'cursor', 'off'] as const);
    const system = { none: undefined, cursor: followed, off: 'off' as const }[choice];
    const since = random.chance(0.7) ? client.cursors.get(room) : undefined;
    const manners = { acks: random.chance(0.4), reads: random.chance(0.8) };
    this.#actors.open(client, room, { since, system, manners });
    world.note(() => `${client.name} is at ${room}`);
  }

  #operate(): void {
    const random = this.#random;
    const { world } = this;
    const actors = this.#actors;
    const roll = random.below(100);
    const client = random.some(actors.clients);
    const connection = client?.connection;
    if (roll < 24) {
      actors.append(FOLLOWED, actors.contents(FOLLOWED, random.pick([1, 1, 1, 2, 5])));
    } else if (roll < 32) {
      const room = this.#roomFor();
      actors.append(room, actors.contents(room, random.pick([1, 2])));
    } else if (roll < 46) {
      if (client !== undefined) this.#connect(client, this.#roomFor());
    } else if (roll < 50) {
      if (client !== undefined) actors.leave(client);
    } else if (roll < 60) {
      if (connection !== undefined) this.#speak(connection);
    } else if (roll < 66) {
      if (connection !== undefined) this.#authenticate(connection);
    } else if (roll < 72) {
      if (connection !== undefined) actors.read(connection);
    } else if (roll < 78) {
      random.some(world.objects)?.crash();
    } else if (roll < 79) {
      random.some(world.objects)?.deploy();
    } else if (roll < 92) {
      random.some(world.objects)?.sleep();
    } else {
      for (const object of world.objects) object.sleep();
    }
  }

  /** Asks in-band to be a member, or not to be. */
  #speak(connection: Connection): void {
    const random = this.#random;
    const room = random.chance(0.8) ? FOLLOWED : connection.object;
    const type = random.chance(0.5) ? 'subscribe' : 'unsubscribe';
    const id = `r${this.#actors.nextId()}`;
    const cursor = connection.client.cursors.get(room);
    const since = random.chance(0.7) ? cursor : undefined;
    if (type === 'subscribe') {
      connection.asks(room, id, since, this.world.now());
      this.#actors.say(connection, { type, id, room, since });
    } else {
      connection.leaves(room, id);
      this.#actors.say(connection, { type, id, room });
    }
  }

  #authenticate(connection: Connection): void {
    const random = this.#random;
    const isGenuine = random.chance(0.8);
    const isOwn = random.chance(0.9);
    const lifetime = random.pick([1_000, 5_000, 60_000, 100 * DAY]);
    const expiresAt = this.world.now() + lifetime + this.#actors.nextId();
    const isPrivate = connection.object.startsWith('user:');
    const own = isPrivate ? connection.object.slice('user:'.length) : connection.client.name;
    const user = isOwn ? own : 'another';
    this.#actors.authenticate(connection, { user, expiresAt, isGenuine, rooms: [] });
  }

  #roomFor(): string {
    const random = this.#random;
    const { rooms } = this.world.settings;
    return random.chance(0.05) ? FOLLOWED : (random.some(rooms) ?? FOLLOWED);
  }
}
