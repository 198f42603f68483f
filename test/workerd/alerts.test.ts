/**
 * A word to everyone: an alert reaches every socket of every room once, while the objects on its way are
 * put to sleep, lose their sockets or crash. With four followers to an object the tree of `system` is
 * deep. Random numbers come from a seed; what happens when, the machine decides.
 */
import { evictDurableObject, runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import { expect, it, vi } from 'vitest';
import { Room } from '../../worker/room/room.ts';
import { AlertReader } from './support/alert-reader.ts';
import { upgrade } from './support/connect.ts';
import { body, post } from './support/publish.ts';

const CLASSES = ['price', 'trade', 'orderbook'];
const ROOMS = Array.from({ length: 60 }, (_, index) =>
  index === 0 ? 'system' : `${CLASSES[index % CLASSES.length]}:ALERTED-${index}`,
);
/** How many sockets each room has: as many as the configuration of these tests lets it hold. */
const SOCKETS = 5;
/** Alerts of each wave. With the last two they are 100, and so many does `system` keep. */
const WAVES = [25, 25, 25, 23];
/** How many alerts of each wave expire before everyone has them. */
const PERISHABLE = 2;
const PERISHES_AFTER_MS = 50;
/** After how many alerts of a wave an object crashes. */
const CRASH_EVERY = 2;
const SEED = 20_261_126;
const PATIENCE = { timeout: 60_000, interval: 100 };

const random = xoroshiro128plus(SEED);
const pick = <Item>(items: readonly Item[]): Item =>
  items[uniformInt(random, 0, items.length - 1)] as Item;
const stubOf = (object: string) => env.ROOM.getByName(object);

/** A plain WebSocket client, which comes back with its cursor. */
class Listener {
  readonly reader: AlertReader;
  isOpen = false;

  constructor(room: string) {
    this.reader = new AlertReader(room);
  }

  async listen(): Promise<void> {
    const { webSocket } = await upgrade(this.reader.address, {}, null);
    // The object is just crashing, or still counts the socket that it has lost.
    if (webSocket === null) return this.listen();
    this.isOpen = true;
    webSocket.addEventListener('message', ({ data }) => this.reader.take(String(data)));
    webSocket.addEventListener('close', () => {
      this.isOpen = false;
      void this.listen();
    });
    webSocket.accept();
  }
}

class Publisher {
  /** The alerts that everyone must have. */
  readonly lasting: string[] = [];
  #offset = 0;

  /** Publishes an alert as the bridge does, which sends it again until it is taken. */
  async publish(expiresAt?: number): Promise<void> {
    const offset = ++this.#offset;
    const alertId = `alert-${offset}`;
    const data = { level: 'info', title: 't', message: 'm', alertId, expiresAt };
    const value = { type: 'system_alert', data, timestamp: 1 };
    const place = { topic: 'system.alerts', partition: 0, offset, timestamp: offset };
    const bytes = body([{ ...place, value }], 'cluster-1');
    while ((await post(bytes)).status !== 200);
    if (expiresAt === undefined) this.lasting.push(alertId);
  }
}

/** Whom `object` follows `system` by, from the nearest to the root, as far as they have saved it. */
async function upstreamsOf(object: string): Promise<string[]> {
  const rows = await runInDurableObject(stubOf(object), (_, { storage: { sql } }) => {
    const tables = sql.exec("SELECT 1 FROM sqlite_master WHERE name = 'follow'").toArray();
    if (tables.length === 0) return [];
    const query = "SELECT value FROM follow WHERE room = 'system' AND follower = ''";
    return sql.exec<{ value: string }>(query).toArray();
  });
  const { upstream } = JSON.parse(rows[0]?.value ?? '{}');
  return upstream === undefined ? [] : [upstream, ...(await upstreamsOf(upstream))];
}

/** What is done to an object is done in turn: an eviction would wait in vain for one that crashes. */
const turns = new Map<string, Promise<void>>();

function inTurn(object: string, act: () => Promise<void>): Promise<void> {
  const turn = (turns.get(object) ?? Promise.resolve()).then(act);
  turns.set(
    object,
    turn.catch(() => {}),
  );
  return turn;
}

/** Ends an object at once; its sockets are closed. */
function crash(object: string): Promise<void> {
  return inTurn(object, () =>
    runInDurableObject(stubOf(object), (_, state) => state.abort('crash')).catch(() => {}),
  );
}

/** Resolves when an object sleeps, which it does as soon as it has no timer and no call. */
function sleep(object: string, webSockets: 'hibernate' | 'close'): Promise<void> {
  return inTurn(object, () =>
    evictDurableObject(stubOf(object), { webSockets }).catch(({ message }: Error) => {
      if (!message.includes('not currently running')) throw new Error(`${object}: ${message}`);
    }),
  );
}

/** Whom each room follows `system` by, when all of them have saved it. */
async function pathsToRoot(): Promise<string[][]> {
  const followers = ROOMS.filter((room) => room !== 'system');
  let paths: string[][] = [];
  const areSaved = async () => {
    paths = await Promise.all(followers.map(upstreamsOf));
    return paths.every((path) => path.at(-1) === 'system');
  };
  await expect.poll(areSaved, { ...PATIENCE, interval: 500 }).toBe(true);
  return paths;
}

/** How often objects have called each other: the turns that answer them are counted. */
class Calls {
  readonly follow = vi.spyOn(Room.prototype, 'follow');
  readonly push = vi.spyOn(Room.prototype, 'push');

  get count(): number {
    return this.follow.mock.calls.length + this.push.mock.calls.length;
  }
}

it('an alert reaches each socket once, whatever happens to the objects on its way', {
  timeout: 180_000,
}, async () => {
  const warnings = vi.spyOn(console, 'warn').mockImplementation(() => {});
  const errors = vi.spyOn(console, 'error').mockImplementation(() => {});
  const calls = new Calls();
  const listeners = ROOMS.flatMap((room) =>
    Array.from({ length: SOCKETS }, () => new Listener(room)),
  );
  const readers = listeners.map(({ reader }) => reader);
  await Promise.all(listeners.map((listener) => listener.listen()));
  await expect.poll(() => readers.every(({ joined }) => joined === 1), PATIENCE).toBe(true);

  const paths = await pathsToRoot();
  expect(Math.max(...paths.map(({ length }) => length))).toBeGreaterThanOrEqual(3);
  const branches = [...new Set(paths.flat())].filter((object) => object !== 'system');
  const anyone = () => pick(pick([ROOMS, branches]));

  const publisher = new Publisher();
  const hasAll = ({ alerts }: AlertReader) => publisher.lasting.every((id) => alerts.has(id));
  const everyoneHasAll = () =>
    expect.poll(() => readers.filter(hasAll).length, PATIENCE).toBe(readers.length);
  const sleeps: Promise<void>[] = [];
  const before = calls.count;
  for (const alerts of WAVES) {
    const ofWave: Promise<void>[] = [];
    for (let sent = 0; sent < alerts; sent++) {
      // Whoever is busy all the time is not waited for.
      ofWave.push(sleep(anyone(), pick(['hibernate', 'close'])).catch(() => {}));
      if (sent % CRASH_EVERY === 0) void crash(anyone());
      await publisher.publish(sent < PERISHABLE ? Date.now() + PERISHES_AFTER_MS : undefined);
    }
    await everyoneHasAll();
    // When the next wave comes, some sleep and others do not.
    await Promise.race(ofWave);
    sleeps.push(...ofWave);
  }
  await Promise.all(sleeps);
  await expect.poll(() => listeners.every(({ isOpen }) => isOpen), PATIENCE).toBe(true);
  const made = calls.count - before;

  // One more alert shows what the last crashes have left behind. Then everything hibernates, and the
  // last alert wakes it: a call to each object, and no other.
  await publisher.publish();
  await everyoneHasAll();
  const objects = new Set([...ROOMS, ...branches, ...(await pathsToRoot()).flat()]);
  const allSleep = () => Promise.all([...objects].map((object) => sleep(object, 'hibernate')));
  await allSleep();
  const asleep = { calls: calls.count, follows: calls.follow.mock.calls.length };
  await publisher.publish();
  await everyoneHasAll();
  await allSleep();
  expect(calls.count - asleep.calls).toBeLessThan(objects.size);
  expect(calls.follow.mock.calls.length).toBe(asleep.follows);

  for (const reader of readers) {
    expect(reader.faults).toEqual([]);
    expect([...reader.alerts].filter(([, times]) => times > 1)).toEqual([]);
    expect(hasAll(reader)).toBe(true);
  }
  const lived = readers.filter(({ joined }) => joined === 1).length;
  const cameBack = readers.filter(({ recovered }) => recovered > 0).length;
  expect(lived).toBeGreaterThan(0);
  expect(cameBack).toBeGreaterThan(0);
  expect(errors.mock.calls.flat()).not.toContainEqual(
    expect.objectContaining({ event: 'room_aborted' }),
  );

  const failed = warnings.mock.calls.flat().filter(({ event }) => event === 'object_call_failed');
  const alerts = WAVES.reduce((sum, count) => sum + count, 0);
  expect(made).toBeLessThanOrEqual(alerts * objects.size + failed.length);
  console.info(
    `${(made / alerts).toFixed(1)} calls per alert among ${objects.size} objects ` +
      `(${failed.length} failed), ${calls.count - asleep.calls} for an alert that wakes all; ` +
      `${lived} sockets lived, ${cameBack} came back with their cursor`,
  );
});
