/** What publishers and clients do in a life. */
import type { Priority } from '../../../worker/protocol/events/events.ts';
import type { Cursor } from '../../../worker/protocol/frames.ts';
import { MAX_RATES } from '../../../worker/protocol/messages.ts';
import { type Content, Publishers } from '../publishers.ts';
import { Client, Connection, type Manners } from './connection.ts';
import type { Random } from './random.ts';
import { Rights, type Token } from './rights.ts';
import { FOLLOWED } from './settings.ts';
import type { SimulatedObject } from './simulated-object.ts';
import type { World } from './world.ts';

export const DAY = 86_400_000;
const PRIORITIES = ['high', 'high', 'medium', 'low'] as const satisfies Priority[];
/** How much time passes between two operations, in ms. */
const PAUSES = [0, 1, 5, 20, 50, 100, 150, 200, 300, 300, 500, 1_000, 1_000, 3_500] as const;
const LONG_PAUSES = [11_000, 11_000, 31_000, 70_000, 1_000_000, 4_000_000] as const;

export interface Opening {
  readonly since?: Cursor | undefined;
  readonly system: Cursor | 'off' | undefined;
  readonly manners: Manners;
}

export class Actors {
  readonly world: World;
  readonly clients: readonly Client[];
  readonly #random: Random;
  readonly #publishers = new Map<string, Publishers>();
  #ids = 0;

  constructor(world: World) {
    this.world = world;
    this.#random = world.random;
    const { clients } = world.settings;
    this.clients = Array.from({ length: clients }, (_, index) => new Client(`c${index}`));
  }

  /** A number that was not there before. */
  nextId(): number {
    return this.#ids++;
  }

  /** Publishes to a room as the bridge does: what was not answered for is sent again. */
  append(room: string, contents: readonly Content[]): boolean {
    let publishers = this.#publishers.get(room);
    if (publishers === undefined) {
      publishers = new Publishers();
      this.#publishers.set(room, publishers);
    }
    const { world } = this;
    const back = this.#random.chance(0.1) ? 2 : 0;
    const { batch, answered } = publishers.fromKafka(0, back, contents, world.now());
    world.note(() => `append ${batch.records.length} to ${room.slice(0, 20)}`);
    const answer = world.object(room).append(batch);
    if (answer !== undefined) answered();
    return answer !== undefined;
  }

  contents(room: string, count: number): Content[] {
    const random = this.#random;
    const { hasLargeEvents } = this.world.settings;
    // What has a later event of its key says no expiry of its own.
    const lifetimes = this.world.truth(room).isKeyed
      ? ([undefined] as const)
      : ([undefined, undefined, 300, 2_000, 20_000, 600_000] as const);
    return Array.from({ length: count }, () => ({
      key: random.below(5),
      size: hasLargeEvents && random.chance(0.4) ? 60_000 : random.below(40),
      priority: random.pick(PRIORITIES),
      lifetime: random.pick(lifetimes),
    }));
  }

  /** Opens a socket at a room's own object. */
  open(client: Client, room: string, { since, system, manners }: Opening): void {
    const random = this.#random;
    const { world } = this;
    const now = world.now();
    const user = room.startsWith('user:') ? room.slice('user:'.length) : undefined;
    const expiresAt = now + random.pick([3_000, 20_000, 100 * DAY, 100 * DAY]);
    const token = user === undefined ? undefined : { user, expiresAt, isGenuine: true, rooms: [] };
    const rooms = room === FOLLOWED ? [FOLLOWED] : [room, FOLLOWED];
    const connection = this.#socket(client, room, rooms, manners, token);
    // At the socket of the followed room itself, its cursor may be told in either way.
    const place = room === FOLLOWED && system !== 'off' ? (since ?? system) : since;
    connection.streams.get(room)?.requests('', place, now);
    if (system !== 'off' && room !== FOLLOWED) {
      connection.streams.get(FOLLOWED)?.requests('', system, now);
    }
    world.note(
      () => `${client.name} connects to ${room} ${JSON.stringify({ since, system, ...manners })}`,
    );
    const tokenExpiresAt = token?.expiresAt;
    const maxRate = random.chance(0.1) ? random.pick(MAX_RATES) : undefined;
    world.object(room).connect(connection, { user, tokenExpiresAt, since, maxRate, system });
  }

  /** Opens a socket at a relay. */
  openAtRelay(
    client: Client,
    relay: string,
    { system, manners }: Opening,
    token: Token | undefined,
  ): void {
    const { world } = this;
    const connection = this.#socket(client, relay, undefined, manners, token);
    if (system !== 'off') connection.asks(FOLLOWED, '', system, world.now());
    world.note(() => `${client.name} connects to ${relay} ${JSON.stringify({ system, token })}`);
    world.object(relay).connect(connection, {
      user: token?.user,
      tokenExpiresAt: token?.expiresAt,
      rooms: token?.rooms,
      since: undefined,
      maxRate: undefined,
      system,
    });
  }

  /** A client says something over its socket. */
  say(connection: Connection, message: object): void {
    if (!connection.rights.isSettled) this.world.coverage.add('messages behind a token');
    this.world.object(connection.object).receive(connection, JSON.stringify(message));
  }

  /** A token comes, and its check takes a while. */
  authenticate(connection: Connection, token: Token): void {
    const id = `a${this.nextId()}`;
    connection.authenticates(id, token);
    this.say(connection, { type: 'auth', id, token: this.world.sends(connection, token) });
  }

  read(connection: Connection): void {
    const random = this.#random;
    if (random.chance(0.3)) {
      connection.manners = { ...connection.manners, reads: random.chance(0.7) };
    }
    const isPart = !connection.manners.reads && random.chance(0.5);
    const count = isPart ? random.between(1, 4) : undefined;
    this.world.read(this.world.object(connection.object), connection, count);
  }

  leave(client: Client): void {
    const { connection } = client;
    if (connection === undefined) return;
    const { world } = this;
    const object: SimulatedObject = world.object(connection.object);
    world.note(() => `${client.name} leaves ${connection.object}`);
    client.connection = undefined;
    if (this.#random.chance(0.7)) {
      world.lost(connection);
      object.disconnect(connection);
      return;
    }
    // It is gone without a word, and the object hears of it later.
    connection.isBroken = true;
    world.agenda.plan(this.#random.between(0, 20_000), () => object.disconnect(connection));
  }

  pause(): Promise<void> {
    const random = this.#random;
    const pauses = random.chance(0.03) ? LONG_PAUSES : PAUSES;
    return this.world.elapse(random.pick(pauses));
  }

  #socket(
    client: Client,
    name: string,
    rooms: readonly string[] | undefined,
    manners: Manners,
    token: Token | undefined,
  ): Connection {
    const { world } = this;
    const object = world.object(name);
    const connection = new Connection({
      client,
      object: name,
      rooms,
      manners,
      tellsBuffered: world.settings.tellsBuffered,
      streamOf: (room) => world.streamOf(room),
      rights: new Rights(token),
      coverage: world.coverage,
      sent: (to, message) => object.sent(to, message),
      closed: (to, reason) => object.closed(to, reason),
      violate: (what) => world.violate(what),
    });
    client.connection = connection;
    return connection;
  }
}
