import { describe, expect, it } from 'vitest';
import type { RoomFrame } from '../../worker/protocol/frames.ts';
import { ObjectsInMemory } from './objects-in-memory.ts';
import type { FakeSocket } from './room-in-memory.ts';

const HOUR = 3_600_000;

/** The numbers of the alerts that a socket was shown or sent, in order. */
function alertsOf({ frames }: FakeSocket): number[] {
  return frames
    .filter(isOfSystem)
    .flatMap((frame) =>
      frame.type === 'events' || frame.type === 'snapshot'
        ? frame.events.map(({ seq }) => seq)
        : [],
    );
}

function typesOf({ frames }: FakeSocket): string[] {
  return frames.filter(isOfSystem).map(({ type }) => type);
}

function isOfSystem(frame: RoomFrame): boolean {
  return 'room' in frame && frame.room === 'system';
}

function say(objects: ObjectsInMemory, name: string, socket: FakeSocket, message: object): void {
  void objects.room(name).receive(socket, JSON.stringify(message));
}

describe('a socket of any room', () => {
  it('hears every alert once, after the alerts that have not expired', async () => {
    const objects = new ObjectsInMemory();
    objects.alert();
    objects.alert(objects.clock.now() + 1_000);
    await objects.elapse(2_000);
    const socket = objects.join('price:A');
    await objects.elapse(10);
    objects.alert();
    await objects.elapse(100);
    expect(typesOf(socket)).toEqual(['subscribed', 'snapshot', 'events']);
    expect(alertsOf(socket)).toEqual([1, 3]);
  });

  it('is welcomed and sent its room before `system` is reached', async () => {
    const objects = new ObjectsInMemory();
    objects.meddle = () => new Promise(() => {});
    const socket = objects.join('price:A');
    expect(socket.types).toEqual(['welcome', 'subscribed', 'snapshot']);
    await objects.elapse(HOUR);
    expect(socket.types.length).toBe(3);
    objects.meddle = async (_call, make) => make();
    await objects.elapse(HOUR);
    expect(typesOf(socket)).toEqual(['subscribed', 'snapshot']);
  });

  it('goes on from its cursor on another object, and hears nothing twice', async () => {
    const objects = new ObjectsInMemory();
    for (let i = 0; i < 3; i++) objects.alert();
    const { epoch } = JSON.parse(objects.room('system').history(undefined, 1));
    const socket = objects.join('trade:B', { system: { epoch, seq: 2 } });
    await objects.elapse(100);
    expect(typesOf(socket)).toEqual(['subscribed', 'events']);
    expect(alertsOf(socket)).toEqual([3]);
  });

  it('that is further than the mirror of its object, hears nothing twice either', async () => {
    const objects = new ObjectsInMemory();
    objects.alert();
    const first = objects.join('price:A');
    await objects.elapse(100);
    // The push of the second alert is on its way for a second.
    objects.meddle = async ({ kind }, make) => {
      if (kind === 'push') await objects.clock.pause(1_000, new AbortController().signal);
      return make();
    };
    objects.alert();
    const { epoch } = JSON.parse(objects.room('system').history(undefined, 1));
    const ahead = objects.join('price:A', { system: { epoch, seq: 2 } });
    await objects.elapse(5_000);
    objects.alert();
    await objects.elapse(5_000);
    expect(alertsOf(first)).toEqual([1, 2, 3]);
    expect(alertsOf(ahead)).toEqual([3]);
  });

  it('may decline the alerts, ask for them, and decline them again', async () => {
    const objects = new ObjectsInMemory();
    objects.alert();
    const socket = objects.join('price:A', { system: 'off' });
    await objects.elapse(100);
    expect(objects.calls).toEqual([]);
    say(objects, 'price:A', socket, { type: 'subscribe', id: 1, room: 'system' });
    await objects.elapse(100);
    say(objects, 'price:A', socket, { type: 'unsubscribe', id: 2, room: 'system' });
    objects.alert();
    await objects.elapse(100);
    expect(typesOf(socket)).toEqual(['subscribed', 'snapshot', 'unsubscribed']);
  });

  it('is answered by the id of its request, though the object slept meanwhile', async () => {
    const objects = new ObjectsInMemory();
    const socket = objects.join('price:A', { system: 'off' });
    objects.meddle = () => new Promise(() => {});
    say(objects, 'price:A', socket, { type: 'subscribe', id: 'r1', room: 'system' });
    objects.sleep('price:A');
    objects.meddle = async (_call, make) => make();
    objects.append('price:A');
    await objects.elapse(1_000);
    expect(socket.frames).toContainEqual(
      expect.objectContaining({ type: 'subscribed', id: 'r1', room: 'system' }),
    );
  });

  it('of `system` itself is subscribed to it once', async () => {
    const objects = new ObjectsInMemory();
    const socket = objects.join('system');
    objects.alert();
    await objects.elapse(100);
    expect(socket.types).toEqual(['welcome', 'subscribed', 'snapshot', 'events']);
    expect(objects.calls).toEqual([]);
  });
});

describe('a socket of `system` itself', () => {
  it('may say where it stands as on any other socket', async () => {
    const objects = new ObjectsInMemory();
    objects.alert();
    objects.alert();
    const { epoch } = JSON.parse(objects.room('system').history(undefined, 1));
    const socket = objects.join('system', { system: { epoch, seq: 1 } });
    expect(typesOf(socket)).toEqual(['subscribed', 'events']);
  });
});

describe('an object whose sockets hear `system`', () => {
  it('asks once, however many sockets it has, and then is only pushed', async () => {
    const objects = new ObjectsInMemory();
    const sockets = [objects.join('price:A'), objects.join('price:A'), objects.join('price:A')];
    await objects.elapse(100);
    for (let i = 0; i < 3; i++) {
      objects.alert();
      await objects.elapse(100);
    }
    expect(objects.callsOf('follow')).toEqual(['system']);
    expect(objects.callsOf('push')).toEqual(['price:A', 'price:A', 'price:A']);
    for (const socket of sockets) expect(alertsOf(socket)).toEqual([1, 2, 3]);
  });

  it('goes on after a sleep without a call, and asks again only for who is new', async () => {
    const objects = new ObjectsInMemory();
    objects.alert();
    const socket = objects.join('price:A');
    await objects.elapse(20_000);
    for (const name of ['system', 'price:A']) objects.sleep(name);
    objects.alert();
    await objects.elapse(100);
    expect(alertsOf(socket)).toEqual([1, 2]);
    expect(objects.callsOf('follow')).toEqual(['system']);
    const late = objects.join('price:A');
    await objects.elapse(100);
    expect(alertsOf(late)).toEqual([1, 2]);
    expect(objects.callsOf('follow')).toEqual(['system', 'system']);
    objects.alert();
    await objects.elapse(100);
    for (const each of [socket, late]) expect(alertsOf(each)).toEqual([1, 2, 3]);
  });

  it('that nobody reads any more says so when it is pushed, and is forgotten', async () => {
    const objects = new ObjectsInMemory();
    const socket = objects.join('price:A');
    await objects.elapse(20_000);
    objects.leave('price:A', socket);
    objects.alert();
    await objects.elapse(20_000);
    expect([objects.rowsOf('system'), objects.rowsOf('price:A')]).toEqual([[], []]);
    objects.alert();
    await objects.elapse(20_000);
    expect(objects.callsOf('push').length).toBe(1);
  });

  it.each([0, 1])(
    'makes no call, and keeps no timer, in an hour after %i alerts',
    async (alerts) => {
      const objects = new ObjectsInMemory();
      for (let i = 0; i < alerts; i++) objects.alert();
      for (const name of ['price:A', 'price:B', 'trade:C']) objects.join(name);
      await objects.elapse(30_000);
      const before = objects.calls.length;
      await objects.elapse(HOUR);
      expect([objects.calls.length - before, objects.clock.pending]).toEqual([0, 0]);
    },
  );
});

describe('an object whose sockets come back with their cursor after a crash', () => {
  const epochOf = (objects: ObjectsInMemory): number =>
    JSON.parse(objects.room('system').history(undefined, 1)).epoch;

  async function joined(): Promise<ObjectsInMemory> {
    const objects = new ObjectsInMemory();
    objects.alert();
    objects.join('price:A');
    await objects.elapse(20_000);
    return objects;
  }

  async function hearsOn(objects: ObjectsInMemory, seq: number): Promise<void> {
    const socket = objects.join('price:A', { system: { epoch: epochOf(objects), seq } });
    await objects.elapse(100);
    objects.alert();
    objects.alert();
    await objects.elapse(10_000);
    const missed = Array.from({ length: objects.alerts - seq }, (_, index) => seq + 1 + index);
    expect(alertsOf(socket)).toEqual(missed);
  }

  it('goes on hearing alerts when one was pushed before its sockets came back', async () => {
    const objects = await joined();
    objects.crash('price:A');
    objects.alert();
    await objects.elapse(100);
    await hearsOn(objects, 1);
  });

  it('goes on hearing alerts when it had left shortly before', async () => {
    const objects = await joined();
    const socket = objects.join('price:A');
    objects.crash('price:A');
    expect(socket.frames.length).toBeGreaterThan(0);
    objects.alert();
    await objects.elapse(10);
    objects.crash('price:A');
    await hearsOn(objects, 1);
  });

  it('goes on hearing alerts when it had asked anew shortly before', async () => {
    const objects = await joined();
    objects.sleep('price:A');
    objects.join('price:A');
    await objects.elapse(1_000);
    objects.crash('price:A');
    await hearsOn(objects, 1);
  });

  it('goes on hearing alerts, whatever the cursor is', async () => {
    const objects = new ObjectsInMemory();
    objects.alert();
    const socket = objects.join('price:A', { system: { epoch: 0, seq: 0 } });
    await objects.elapse(100);
    objects.alert();
    await objects.elapse(100);
    expect(alertsOf(socket)).toEqual([1, 2]);
  });
});

describe('a branch that has asked anew and then crashes', () => {
  it('serves its followers at once, and does not wait for the alarm', async () => {
    const objects = new ObjectsInMemory(2);
    const sockets = ['price:A', 'price:B', 'price:C'].map((name) => objects.join(name));
    await objects.elapse(20_000);
    objects.sleep('system weur.0');
    sockets.push(objects.join('price:D'));
    await objects.elapse(1_000);
    objects.crash('system weur.0');
    objects.alert();
    await objects.elapse(1_000);
    for (const socket of sockets) expect(alertsOf(socket)).toEqual([1]);
  });
});

describe('a branch that has lost what it had in a crash', () => {
  it('gets it at once from an upstream that has slept, and does not wait for the alarm', async () => {
    const objects = new ObjectsInMemory(2);
    const names = Array.from({ length: 10 }, (_, index) => `price:S${index}`);
    const sockets = names.map((name) => objects.join(name));
    await objects.elapse(20_000);
    objects.alert();
    await objects.elapse(1_000);
    objects.crash('system weur.1');
    await objects.elapse(4_000);
    objects.sleep('system weur.0');
    objects.alert();
    await objects.elapse(1_000);
    for (const socket of sockets) expect(alertsOf(socket)).toEqual([1, 2]);
  });
});

describe('what is paid', () => {
  it('is a call and three rows for the first socket, and nothing for the others', async () => {
    const objects = new ObjectsInMemory();
    objects.alert();
    await objects.elapse(20_000);
    const before = objects.costs;
    for (let i = 0; i < 10; i++) objects.join('price:A');
    await objects.elapse(20_000);
    // The follower itself, and where all stand at its upstream and at its own object.
    expect(objects.costsSince(before)).toEqual({ calls: 1, rows: 3, alarms: 0 });
  });

  it('is nothing for an event of the room, or for a sleep', async () => {
    const objects = new ObjectsInMemory();
    objects.join('price:A');
    await objects.elapse(20_000);
    const before = objects.costs;
    objects.append('price:A');
    await objects.elapse(20_000);
    objects.sleep('price:A');
    objects.append('price:A');
    await objects.elapse(20_000);
    expect(objects.costsSince(before)).toEqual({ calls: 0, rows: 0, alarms: 0 });
  });

  it('is a row for each object that hears alerts, and a call for those of each 50 ms', async () => {
    const objects = new ObjectsInMemory();
    for (const name of ['price:A', 'price:B', 'price:C']) objects.join(name);
    await objects.elapse(20_000);
    const before = objects.costs;
    for (let i = 0; i < 5; i++) objects.alert();
    await objects.elapse(20_000);
    // The first alert leaves at once, and the others together. The alarm is set for what expires, for
    // a crash, and again for what expires.
    expect(objects.costsSince(before)).toEqual({ calls: 6, rows: 4, alarms: 3 });
  });
});

describe('the tree of a room', () => {
  const names = Array.from({ length: 30 }, (_, index) => `price:S${index}`);

  it('grows a branch where its parent is full, and all hear every alert', async () => {
    const objects = new ObjectsInMemory(2);
    objects.alert();
    const sockets = names.map((name) => objects.join(name));
    await objects.elapse(10_000);
    for (let i = 0; i < 3; i++) {
      const before = objects.calls.length;
      objects.alert();
      await objects.elapse(1_000);
      const pushed = objects.calls.slice(before).map(({ kind, to }) => `${kind} ${to}`);
      // One call for each object, and no other.
      expect(new Set(pushed).size).toBe(pushed.length);
      expect(pushed.every((call) => call.startsWith('push '))).toBe(true);
    }
    for (const socket of sockets) expect(alertsOf(socket)).toEqual([1, 2, 3, 4]);
    const followers = ['price:S0', 'price:S1', 'system weur.0'];
    expect(objects.rowsOf('system').toSorted()).toEqual(['', ...followers]);
    const branches = new Set(objects.callsOf('push').filter((name) => name.startsWith('system ')));
    expect(branches.size).toBeGreaterThan(5);
  });

  it('loses its branches when nobody needs them any more', async () => {
    const objects = new ObjectsInMemory(2);
    const sockets = names.map((name) => [name, objects.join(name)] as const);
    await objects.elapse(20_000);
    for (const [name, socket] of sockets) objects.leave(name, socket);
    for (let i = 0; i < 8; i++) {
      objects.alert();
      await objects.elapse(20_000);
    }
    expect(objects.rowsOf('system')).toEqual([]);
    const before = objects.calls.length;
    objects.alert();
    await objects.elapse(HOUR);
    expect(objects.calls.length).toBe(before);
  });
});

describe('an alert', () => {
  it('is pushed after a crash, by the alarm, if its sender had an answer already', async () => {
    const objects = new ObjectsInMemory();
    const socket = objects.join('price:A');
    await objects.elapse(20_000);
    objects.meddle = () => new Promise(() => {});
    objects.alert();
    objects.crash('system');
    objects.meddle = async (_call, make) => make();
    await objects.elapse(20_000);
    expect(alertsOf(socket)).toEqual([1]);
  });

  it('is pushed on after a crash of the branch that had it', async () => {
    const objects = new ObjectsInMemory(2);
    const names = ['price:A', 'price:B', 'price:C'];
    const sockets = names.map((name) => objects.join(name));
    await objects.elapse(20_000);
    objects.meddle = async ({ to }, make) => (to === 'price:C' ? new Promise(() => {}) : make());
    objects.alert();
    await objects.elapse(10);
    objects.crash('system weur.0');
    objects.meddle = async (_call, make) => make();
    await objects.elapse(20_000);
    for (const socket of sockets) expect(alertsOf(socket)).toEqual([1]);
  });

  it('is not lost with the object that had it last, though its upstream need not push again', async () => {
    const objects = new ObjectsInMemory();
    objects.alert();
    objects.join('price:A');
    await objects.elapse(20_000);
    const { epoch } = JSON.parse(objects.room('system').history(undefined, 1));
    objects.alert();
    await objects.elapse(10);
    objects.crash('price:A');
    const back = objects.join('price:A', { system: { epoch, seq: 1 } });
    await objects.elapse(1_000);
    expect(alertsOf(back)).toEqual([2]);
  });

  it('reaches others at once when one of them does not answer', async () => {
    const objects = new ObjectsInMemory();
    const [silent, other] = [objects.join('price:A'), objects.join('price:B')];
    await objects.elapse(20_000);
    objects.meddle = async ({ to }, make) => (to === 'price:A' ? new Promise(() => {}) : make());
    objects.alert();
    await objects.elapse(10);
    expect([alertsOf(silent), alertsOf(other)]).toEqual([[], [1]]);
    objects.alert();
    await objects.elapse(100);
    expect(alertsOf(other)).toEqual([1, 2]);
    objects.meddle = async (_call, make) => make();
    await objects.elapse(60_000);
    expect(alertsOf(silent)).toEqual([1, 2]);
  });
});
