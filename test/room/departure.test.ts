/** An object that learns of a newer version of the Worker: when it leaves, and what it leaves behind. */
import { describe, expect, it } from 'vitest';
import { POLICIES } from '../../worker/policy.ts';
import {
  COME_BACK_WITHIN,
  Departure,
  LEAVES_WITHIN,
  STARTING_TIME,
} from '../../worker/room/departure.ts';
import { ObjectsInMemory } from './objects-in-memory.ts';
import { RoomInMemory, VERSION } from './room-in-memory.ts';

const STARTED_AT = 5_000_000;
/** Any time at which the object has long been running. */
const LATER = STARTED_AT + STARTING_TIME;

function departure(version: number | undefined, random = 0.5) {
  const done: string[] = [];
  const part = (name: string) => ({ saveAll: () => done.push(`save ${name}`) });
  const sessions = { shutDown: (comeBackIn: () => number) => done.push(`back in ${comeBackIn()}`) };
  const leaving = { saved: [part('a'), part('b')], sessions };
  const ports = { version, random: () => random, leave: () => done.push('leave') };
  return { done, departure: new Departure(ports, leaving, STARTED_AT) };
}

/** When an object leaves that learns of `version` at `LATER`; undefined if it does not. */
function leavesAt(version: number | undefined, random?: number, own: number | undefined = VERSION) {
  const { departure: subject, done } = departure(own, random);
  subject.learn(version, LATER);
  for (let now = LATER; now <= LATER + 2 * LEAVES_WITHIN; now += 1_000) {
    subject.run(now);
    if (done.includes('leave')) return now;
  }
  return undefined;
}

describe('an object leaves', () => {
  it.each([0, 0.25, 0.5, 0.75])('at a random moment within four minutes: %d', (random) => {
    expect(leavesAt(VERSION + 1, random)).toBe(LATER + random * LEAVES_WITHIN);
  });

  it('for a version that is newer, and for no other', () => {
    expect(leavesAt(VERSION)).toBeUndefined();
    expect(leavesAt(VERSION - 1)).toBeUndefined();
    expect(leavesAt(undefined)).toBeUndefined();
  });

  it('never, where the platform does not tell the version', () => {
    const { departure: subject, done } = departure(undefined);
    subject.learn(VERSION + 1, LATER);
    subject.run(LATER + LEAVES_WITHIN);
    expect([done, subject.newest]).toEqual([[], undefined]);
  });

  it('not for a version that was there when it started: the same code would start again', () => {
    const { departure: subject, done } = departure(VERSION);
    subject.learn(VERSION + 1, STARTED_AT + STARTING_TIME - 1);
    subject.learn(VERSION + 1, LATER);
    subject.run(LATER + LEAVES_WITHIN);
    expect(done).toEqual([]);
    subject.learn(VERSION + 2, LATER);
    subject.run(LATER + LEAVES_WITHIN);
    expect(done).toContain('leave');
  });

  it('no later because a still newer version comes', () => {
    const { departure: subject, done } = departure(VERSION);
    subject.learn(VERSION + 1, LATER);
    subject.learn(VERSION + 2, LATER + 1_000);
    subject.run(LATER + LEAVES_WITHIN / 2);
    expect(done).toContain('leave');
  });

  it('once all is saved and every client is told, and only once', () => {
    const { departure: subject, done } = departure(VERSION);
    subject.learn(VERSION + 1, LATER);
    subject.run(LATER + LEAVES_WITHIN);
    subject.run(LATER + LEAVES_WITHIN + 1);
    expect(done).toEqual(['save a', 'save b', `back in ${COME_BACK_WITHIN / 2}`, 'leave']);
  });

  it('and tells other objects of the newest version that it knows', () => {
    const { departure: subject } = departure(VERSION);
    expect(subject.newest).toBe(VERSION);
    subject.learn(VERSION + 2, STARTED_AT);
    subject.learn(VERSION + 1, LATER);
    expect(subject.newest).toBe(VERSION + 2);
  });
});

/** The room has run for a while, learns of a newer version, and time passes until it may leave. */
function deploy(room: RoomInMemory): void {
  room.clock.advance(STARTING_TIME);
  room.room.departure.learn(VERSION + 1, room.now);
}

describe.each([
  ['in memory', POLICIES.price],
  ['durable', POLICIES.trade],
])('a room %s that leaves', (_kind, policy) => {
  it('says shutdown, and closes each socket with a code to come back', () => {
    const room = new RoomInMemory(policy);
    const sockets = [room.join(), room.join()];
    deploy(room);
    room.clock.advance(LEAVES_WITHIN / 2 - 1);
    room.append({ key: 'A' });
    expect(room.hasLeft).toBe(false);
    room.clock.advance(1);
    room.append({ key: 'A' });
    expect(room.hasLeft).toBe(true);
    for (const { frames, closedFor } of sockets) {
      expect(frames.at(-1)).toEqual({ type: 'shutdown', retryAfter: COME_BACK_WITHIN / 2 });
      expect(closedFor).toBe('shutdown');
    }
    expect([room.sessions.size, room.aborted]).toEqual([0, undefined]);
  });

  it('tells each client another time, so that they do not come back at once', () => {
    let drawn = 0;
    const room = new RoomInMemory(policy, undefined, undefined, () => (drawn++ % 100) / 100);
    const sockets = Array.from({ length: 50 }, () => room.join());
    deploy(room);
    room.clock.advance(LEAVES_WITHIN);
    room.append({ key: 'A' });
    const times = sockets.map(({ frames }) => {
      const last = frames.at(-1);
      return last?.type === 'shutdown' ? last.retryAfter : undefined;
    });
    expect(new Set(times).size).toBe(50);
    for (const time of times) expect(time).toBeLessThan(COME_BACK_WITHIN);
  });

  it('is the same after that: its epoch, and every event for who comes back', () => {
    const room = new RoomInMemory(policy);
    const reader = room.join();
    const slow = room.join();
    deploy(room);
    room.clock.advance(LEAVES_WITHIN / 2 - 1_000);
    room.appendEach({ key: 'A' }, { key: 'B' }, { key: 'A' });
    room.clock.advance(1_000);
    // This one waits for company, and is not sent any more.
    room.append({ key: 'A', priority: 'low' });
    expect([room.hasLeft, reader.sent]).toEqual([true, [[1], [2], [3]]]);

    const again = room.wake();
    const { epoch } = subscribedOf(reader);
    const back = again.join({ since: { epoch, seq: 3 } });
    const backFromAfar = again.join({ since: { epoch: subscribedOf(slow).epoch, seq: 1 } });
    expect(subscribedOf(back)).toMatchObject({ epoch, recovered: true });
    expect(back.sent).toEqual([[4]]);
    expect(backFromAfar.sent.flat()).toEqual([2, 3, 4]);
    again.appendEach({ key: 'A' });
    expect([back.sent.flat(), again.join().types.includes('gap')]).toEqual([[4, 5], false]);
  });

  it('stays where it is while nothing happens: then the platform lets it sleep', () => {
    const room = new RoomInMemory(policy);
    room.join();
    deploy(room);
    room.clock.advance(2 * LEAVES_WITHIN);
    expect([room.hasLeft, room.clock.pending]).toEqual([false, 0]);
  });
});

describe('a room in memory that has left', () => {
  it('is crashed like any other: the tail that was saved is not taken for what was lost', () => {
    const room = new RoomInMemory(POLICIES.price);
    const reader = room.join();
    deploy(room);
    room.clock.advance(LEAVES_WITHIN / 2);
    room.append({ key: 'A' });
    const { epoch } = subscribedOf(reader);
    const again = room.wake();
    again.append({ key: 'A' });
    const crashed = again.wake();
    const back = crashed.join({ since: { epoch, seq: 1 } });
    expect(subscribedOf(back)).toMatchObject({ recovered: false });
    expect(subscribedOf(back).epoch).toBeGreaterThan(epoch);
    expect(back.types).toContain('gap');
  });

  it('writes nothing if it has nothing that is not saved', () => {
    const room = new RoomInMemory(POLICIES.price);
    room.append({ key: 'A' });
    room.clock.advance(60_000);
    const asleep = room.wake(room.join());
    const rows = asleep.rowsWritten;
    deploy(asleep);
    asleep.clock.advance(LEAVES_WITHIN);
    asleep.join();
    expect([asleep.hasLeft, asleep.rowsWritten]).toEqual([true, rows]);
  });
});

describe('objects that follow each other', () => {
  it('are pushed on from where they stand when the one that they follow leaves', async () => {
    const objects = new ObjectsInMemory();
    objects.join('price:A');
    await objects.elapse(STARTING_TIME + 500);
    objects.deploy('system');
    // There are so many that nothing is saved in between, because the root never rests.
    for (let left = LEAVES_WITHIN / 2 / 1_000; left > 1; left--) {
      objects.alert();
      await objects.elapse(1_000);
    }
    const before = objects.alerts;
    const { meddle } = objects;
    // The last push gets lost.
    objects.meddle = () => new Promise(() => {});
    objects.alert();
    await objects.elapse(1_000);
    objects.room('system').alarm();
    expect(objects.hasLeft('system')).toBe(true);
    objects.meddle = meddle;
    await objects.elapse(30_000);
    const [pushed] = objects.calls.slice(-1);
    expect(pushed).toMatchObject({ to: 'price:A', call: { content: { after: before } } });
  });

  it('lose nothing when the root leaves, and then a follower', async () => {
    const objects = new ObjectsInMemory();
    const member = objects.join('price:A');
    await objects.elapse(STARTING_TIME);
    objects.alert();
    await objects.elapse(1_000);

    objects.deploy('system');
    await objects.elapse(LEAVES_WITHIN / 2);
    objects.alert();
    expect(objects.hasLeft('system')).toBe(true);
    objects.alert();
    await objects.elapse(20_000);
    expect(alertsOf(member)).toEqual([1, 2, 3]);

    objects.deploy('price:A');
    await objects.elapse(LEAVES_WITHIN / 2);
    objects.append('price:A');
    expect(objects.hasLeft('price:A')).toBe(true);
    objects.alert();
    const back = objects.join('price:A', { system: { epoch: epochOf(member), seq: 3 } });
    objects.alert();
    await objects.elapse(20_000);
    expect(alertsOf(back)).toEqual([4, 5]);
    expect(back.types).not.toContain('gap');
  });
});

type Frames = Pick<ReturnType<RoomInMemory['join']>, 'frames'>;

function subscribedOf({ frames }: Frames) {
  const subscribed = frames.find(({ type }) => type === 'subscribed');
  if (subscribed?.type !== 'subscribed') throw new Error('it was never subscribed');
  return subscribed;
}

function epochOf({ frames }: Frames): number {
  const of = frames.find((frame) => frame.type === 'subscribed' && frame.room === 'system');
  return of?.type === 'subscribed' ? of.epoch : 0;
}

function alertsOf({ frames }: Frames): number[] {
  return frames.flatMap((frame) =>
    frame.type === 'events' && frame.room === 'system' ? frame.events.map(({ seq }) => seq) : [],
  );
}
