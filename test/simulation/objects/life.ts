/** A life: some hundred operations, drawn from a seed, with everything going wrong that can; then rest. */
import type { Priority } from '../../../worker/protocol/events.ts';
import type { Cursor } from '../../../worker/protocol/frames.ts';
import { MAX_RATES } from '../../../worker/protocol/messages.ts';
import { type Content, Publishers } from '../publishers.ts';
import { Violation } from '../violation.ts';
import { Client, Connection, type Manners } from './connection.ts';
import type { Coverage } from './coverage.ts';
import type { Random } from './random.ts';
import { Rest } from './rest.ts';
import { FOLLOWED } from './settings.ts';
import type { SimulatedObject } from './simulated-object.ts';
import { World, type WorldOptions } from './world.ts';

const OPERATIONS = { least: 200, most: 260 };
const DAY = 86_400_000;
const PRIORITIES = ['high', 'high', 'medium', 'low'] as const satisfies Priority[];
/** How much time passes between two operations, in ms. */
const PAUSES = [0, 1, 5, 20, 50, 100, 150, 200, 300, 300, 500, 1_000, 1_000, 3_500] as const;
const LONG_PAUSES = [11_000, 11_000, 31_000, 70_000, 1_000_000, 4_000_000] as const;

export interface Lived {
  readonly operations: number;
  readonly coverage: Coverage;
}

/** Lives a life. It throws a `Violation` when a promise is broken. */
export async function live(seed: number, options: WorldOptions = {}): Promise<Lived> {
  const life = new Life(seed, options);
  await life.live();
  return { operations: life.operations, coverage: life.world.coverage };
}

/** The last lines of what happened in a life that has broken a promise. */
export async function traceOf(seed: number, options: WorldOptions = {}): Promise<string[]> {
  const life = new Life(seed, { ...options, traces: true });
  try {
    await life.live();
  } catch (error) {
    if (!(error instanceof Violation)) throw error;
  }
  return life.world.trace;
}

class Life {
  readonly world: World;
  operations = 0;
  readonly #random: Random;
  readonly #clients: readonly Client[];
  readonly #publishers = new Map<string, Publishers>();
  #ids = 0;

  constructor(seed: number, options: WorldOptions) {
    this.world = new World(seed, options);
    this.#random = this.world.random;
    const { clients } = this.world.settings;
    this.#clients = Array.from({ length: clients }, (_, index) => new Client(`c${index}`));
  }

  async live(): Promise<void> {
    const count = this.#random.between(OPERATIONS.least, OPERATIONS.most);
    // A life begins with most of its clients, so that the tree grows early.
    for (const client of this.#clients) {
      this.connect(client, this.#roomFor());
      await this.#pause();
    }
    while (this.operations < count) {
      this.#operate();
      this.operations++;
      await this.#pause();
    }
    if (this.#random.chance(0.3)) await this.#endInCrash();
    await new Rest(this.world, this).judge();
  }

  /** An event is the last that ever happens, and an object is lost while it is on its way down the tree. */
  async #endInCrash(): Promise<void> {
    const random = this.#random;
    const { world } = this;
    this.append(FOLLOWED, this.contents(FOLLOWED, 1));
    await world.elapse(random.below(500));
    const tree = world.objects.filter(({ name, isRoot }) => !isRoot || name === FOLLOWED);
    random.some(tree)?.crash();
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
    world.note(() => `append ${batch.records.length} to ${room}`);
    const answer = world.object(room).append(batch);
    if (answer !== undefined) answered();
    return answer !== undefined;
  }

  connect(client: Client, room: string): void {
    const random = this.#random;
    const { world } = this;
    if (client.connection !== undefined) this.#leave(client);
    const followed = client.cursors.get(FOLLOWED);
    const choice = random.pick(['none', 'cursor', 'cursor', 'cursor', 'off'] as const);
    const system = { none: undefined, cursor: followed, off: 'off' as const }[choice];
    const own = random.chance(0.7) ? client.cursors.get(room) : undefined;
    this.open(client, room, own, system, {
      acks: random.chance(0.4),
      reads: random.chance(0.8),
    });
    world.note(() => `${client.name} is at ${room}`);
  }

  open(
    client: Client,
    room: string,
    since: Cursor | undefined,
    system: Cursor | 'off' | undefined,
    manners: Manners,
  ): void {
    const random = this.#random;
    const { world } = this;
    const now = world.now();
    const user = room.startsWith('user:') ? room.slice('user:'.length) : undefined;
    const lifetime = random.pick([3_000, 20_000, 100 * DAY, 100 * DAY]);
    const object = world.object(room);
    const connection = new Connection({
      client,
      room,
      manners,
      tellsBuffered: world.settings.tellsBuffered,
      streamOf: (name) => world.streamOf(name),
      entitledUntil: user === undefined ? Number.POSITIVE_INFINITY : now + lifetime,
      sent: (to, frame) => object.sent(to, frame),
      closed: (to, reason) => object.closed(to, reason),
      violate: (what) => world.violate(what),
    });
    client.connection = connection;
    // At the socket of the followed room itself, its cursor may be told in either way.
    const place = room === FOLLOWED && system !== 'off' ? (since ?? system) : since;
    connection.streams.get(room)?.requests('', place, now);
    if (system !== 'off' && room !== FOLLOWED) {
      connection.streams.get(FOLLOWED)?.requests('', system, now);
    }
    world.note(
      () => `${client.name} connects to ${room} ${JSON.stringify({ since, system, ...manners })}`,
    );
    const tokenExpiresAt = user === undefined ? undefined : now + lifetime;
    const maxRate = random.chance(0.1) ? random.pick(MAX_RATES) : undefined;
    object.connect(connection, { user, tokenExpiresAt, since, maxRate, system });
  }

  /** Asks in-band to be a member, or not to be. */
  ask(connection: Connection, room: string, type: 'subscribe' | 'unsubscribe'): void {
    const id = `r${this.#ids++}`;
    const cursor = connection.client.cursors.get(room);
    const since = this.#random.chance(0.7) ? cursor : undefined;
    const object = this.world.object(connection.room);
    if (type === 'subscribe') {
      connection.streams.get(room)?.requests(id, since, this.world.now());
      object.receive(connection, JSON.stringify({ type, id, room, since }));
    } else {
      object.receive(connection, JSON.stringify({ type, id, room }));
    }
  }

  get clients(): readonly Client[] {
    return this.#clients;
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

  #operate(): void {
    const random = this.#random;
    const { world } = this;
    const roll = random.below(100);
    const client = random.some(this.#clients);
    const connection = client?.connection;
    if (roll < 24) {
      this.append(FOLLOWED, this.contents(FOLLOWED, random.pick([1, 1, 1, 2, 5])));
    } else if (roll < 32) {
      const room = this.#roomFor();
      this.append(room, this.contents(room, random.pick([1, 2])));
    } else if (roll < 46) {
      if (client !== undefined) this.connect(client, this.#roomFor());
    } else if (roll < 50) {
      if (client !== undefined) this.#leave(client);
    } else if (roll < 60) {
      if (connection !== undefined) this.#speak(connection);
    } else if (roll < 66) {
      if (connection !== undefined) this.#authenticate(connection);
    } else if (roll < 72) {
      if (connection !== undefined) this.#reads(connection);
    } else if (roll < 79) {
      random.some(world.objects)?.crash();
    } else if (roll < 92) {
      random.some(world.objects)?.sleep();
    } else {
      for (const object of world.objects) object.sleep();
    }
  }

  #speak(connection: Connection): void {
    const random = this.#random;
    const room = random.chance(0.8) ? FOLLOWED : connection.room;
    this.ask(connection, room, random.chance(0.5) ? 'subscribe' : 'unsubscribe');
  }

  /** A token comes, and its check takes a while. */
  #authenticate(connection: Connection): void {
    const random = this.#random;
    const { world } = this;
    const isGenuine = random.chance(0.8);
    const isOwn = random.chance(0.9);
    const lifetime = random.pick([1_000, 5_000, 60_000, 100 * DAY]);
    const expiresAt = world.now() + lifetime + this.#ids++;
    const isPrivate = connection.room.startsWith('user:');
    const own = isPrivate ? connection.room.slice('user:'.length) : connection.client.name;
    const user = isOwn ? own : 'another';
    if (isGenuine && isOwn) connection.tokenEnds.push(expiresAt);
    const token = world.sends(connection, { user, expiresAt, isGenuine });
    const message = { type: 'auth', id: `a${this.#ids}`, token };
    world.object(connection.room).receive(connection, JSON.stringify(message));
  }

  #reads(connection: Connection): void {
    const random = this.#random;
    if (random.chance(0.3)) {
      connection.manners = { ...connection.manners, reads: random.chance(0.7) };
    }
    const isPart = !connection.manners.reads && random.chance(0.5);
    const count = isPart ? random.between(1, 4) : undefined;
    this.world.read(this.world.object(connection.room), connection, count);
  }

  #leave(client: Client): void {
    const { connection } = client;
    if (connection === undefined) return;
    const { world } = this;
    const object: SimulatedObject = world.object(connection.room);
    world.note(() => `${client.name} leaves ${connection.room}`);
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

  #roomFor(): string {
    const random = this.#random;
    const { rooms } = this.world.settings;
    return random.chance(0.05) ? FOLLOWED : (random.some(rooms) ?? FOLLOWED);
  }

  #pause(): Promise<void> {
    const random = this.#random;
    const pauses = random.chance(0.03) ? LONG_PAUSES : PAUSES;
    return this.world.elapse(random.pick(pauses));
  }
}
