/** A life in which most sockets are held by relays, and read many rooms each. */
import { MAX_RATES } from '../../../worker/protocol/messages.ts';
import { Actors, DAY } from './actors.ts';
import type { Client, Connection } from './connection.ts';
import { TO_BE_MET_AT_RELAYS } from './coverage.ts';
import type { Lived } from './life.ts';
import type { Random } from './random.ts';
import { Rest } from './rest.ts';
import type { Token } from './rights.ts';
import { drawRelaySettings, FOLLOWED, grantedRooms, USERS } from './settings.ts';
import type { Kind, World } from './world.ts';

export const KIND: Kind = { drawSettings: drawRelaySettings, toBeMet: TO_BE_MET_AT_RELAYS };

const OPERATIONS = { least: 120, most: 180 };
/** Two events of this size are just under half a window. */
const LARGE = 64_000;

/** Lives a life. It throws a `Violation` when a promise is broken. */
export async function live(world: World): Promise<Lived> {
  const life = new RelayLife(world);
  await life.live();
  return { operations: life.operations, coverage: world.coverage };
}

class RelayLife {
  operations = 0;
  readonly #world: World;
  readonly #random: Random;
  readonly #actors: Actors;

  constructor(world: World) {
    this.#world = world;
    this.#random = world.random;
    this.#actors = new Actors(world);
  }

  async live(): Promise<void> {
    const count = this.#random.between(OPERATIONS.least, OPERATIONS.most);
    for (const client of this.#actors.clients) {
      this.#connect(client);
      await this.#actors.pause();
    }
    while (this.operations < count) {
      this.#operate();
      this.operations++;
      await this.#actors.pause();
    }
    await new Rest(this.#actors).judge();
  }

  #operate(): void {
    const random = this.#random;
    const { objects, settings } = this.#world;
    const roll = random.below(100);
    const client = random.some(this.#actors.clients);
    if (roll < 28) this.#append(random.chance(0.2) ? FOLLOWED : random.some(settings.rooms));
    else if (roll < 33) this.#flood();
    else if (roll < 43) client && this.#connect(client);
    else if (roll < 45) client && this.#actors.leave(client);
    else if (roll < 72) client?.connection && this.#speak(client.connection);
    else if (roll < 80) client?.connection && this.#actors.read(client.connection);
    else if (roll < 84) random.some(objects)?.crash();
    else if (roll < 86) this.#world.object(random.some(settings.relays) ?? '').crash();
    else if (roll < 87) random.some(objects)?.deploy();
    else if (roll < 95) random.some(objects)?.sleep();
    else for (const object of objects) object.sleep();
  }

  #append(room = FOLLOWED): void {
    this.#actors.append(room, this.#actors.contents(room, this.#random.pick([1, 1, 2, 5])));
  }

  /** Each room gets just less than half a window. */
  #flood(): void {
    const { rooms, hasLargeEvents } = this.#world.settings;
    if (!hasLargeEvents) {
      this.#append();
      return;
    }
    for (const room of rooms) {
      const [content] = this.#actors.contents(room, 1);
      if (content === undefined) continue;
      const large = { ...content, size: LARGE };
      this.#actors.append(room, [large, { ...large, key: large.key + 1 }]);
    }
  }

  #connect(client: Client): void {
    const random = this.#random;
    const { settings } = this.#world;
    this.#actors.leave(client);
    const followed = client.cursors.get(FOLLOWED);
    const choice = random.pick(['none', 'cursor', 'cursor', 'off'] as const);
    const system = { none: undefined, cursor: followed, off: 'off' as const }[choice];
    const manners = { acks: random.chance(0.6), reads: random.chance(0.75) };
    const room = random.chance(0.12) ? random.some(settings.rooms) : undefined;
    if (room !== undefined && !grantedRooms(settings).includes(room)) {
      const since = random.chance(0.8) ? client.cursors.get(room) : undefined;
      this.#actors.open(client, room, { since, system, manners });
      return;
    }
    const relay = random.some(settings.relays) ?? '';
    const token = random.chance(0.3) ? undefined : this.#token(client);
    this.#actors.openAtRelay(client, relay, { system, manners }, token);
    const { connection } = client;
    if (connection === undefined || random.chance(0.1)) return;
    if (random.chance(0.2)) this.#authenticate(connection);
    // It comes back with all that it had, and wants more.
    const known = settings.rooms.filter((name) => client.cursors.has(name));
    this.#subscribe(connection, new Set([...known, ...this.#someRooms()]), 0.9);
  }

  #speak(connection: Connection): void {
    const random = this.#random;
    if (random.chance(0.35)) this.#authenticate(connection);
    const roll = random.below(10);
    if (roll < 5) this.#subscribe(connection, new Set(this.#someRooms()), 0.7);
    else if (roll < 8) this.#unsubscribe(connection, new Set(this.#someRooms()));
  }

  #subscribe(connection: Connection, names: ReadonlySet<string>, resumes: number): void {
    const random = this.#random;
    if (!connection.isAtRelay) return;
    const id = `r${this.#actors.nextId()}`;
    const now = this.#world.now();
    const rooms = [...names].map((room) => {
      const since = random.chance(resumes) ? connection.client.cursors.get(room) : undefined;
      connection.asks(room, id, since, now);
      const maxRate = random.chance(0.1) ? random.pick(MAX_RATES) : undefined;
      return { room, since, maxRate };
    });
    const [first] = rooms;
    const isSingle = rooms.length === 1 && random.chance(0.5);
    const wanted = isSingle ? first : { rooms };
    this.#actors.say(connection, { type: 'subscribe', id, ...wanted });
  }

  #unsubscribe(connection: Connection, names: ReadonlySet<string>): void {
    if (!connection.isAtRelay) return;
    const id = `r${this.#actors.nextId()}`;
    for (const room of names) connection.leaves(room, id);
    this.#actors.say(connection, { type: 'unsubscribe', id, rooms: [...names] });
  }

  #authenticate(connection: Connection): void {
    const random = this.#random;
    const token = this.#token(connection.client);
    const user = random.chance(0.9) ? token.user : (random.some(USERS) ?? '');
    const isGenuine = random.chance(0.85);
    this.#actors.authenticate(connection, { ...token, user, isGenuine });
  }

  #token({ name }: Client): Token {
    const random = this.#random;
    const lifetime = random.pick([2_000, 20_000, 100 * DAY, 100 * DAY, 100 * DAY]);
    return {
      user: USERS[Number(name.slice(1)) % USERS.length] ?? '',
      expiresAt: this.#world.now() + lifetime + this.#actors.nextId(),
      isGenuine: true,
      rooms: grantedRooms(this.#world.settings).filter(() => random.chance(0.6)),
    };
  }

  #someRooms(): string[] {
    const random = this.#random;
    const { rooms } = this.#world.settings;
    const share = random.pick([0.1, 0.3, 0.6]);
    const some = rooms.filter(() => random.chance(share));
    const others = [FOLLOWED, 'no room'].filter(() => random.chance(0.1));
    return some.length + others.length > 0 ? [...some, ...others] : rooms.slice(0, 1);
  }
}
