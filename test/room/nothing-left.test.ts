/** A room that was never published to, and that nobody reads any more, leaves nothing behind. */
import { describe, expect, it } from 'vitest';
import { ObjectsInMemory } from './objects-in-memory.ts';

describe.each(['price:NEVER', 'trade:NEVER'])('%s, never published to', (room) => {
  it('stores nothing for its history', () => {
    const objects = new ObjectsInMemory();
    objects.room(room).history(undefined, 100);
    expect(objects.stored).toEqual([]);
  });

  it.each(['off', undefined] as const)(
    'has nothing stored when its last reader has left (system=%s)',
    async (system) => {
      const objects = new ObjectsInMemory();
      const [one, other] = [objects.join(room, { system }), objects.join(room, { system })];
      await objects.elapse(10_000);
      objects.leave(room, one);
      await objects.elapse(10_000);
      expect(objects.stored.includes(room)).toBe(system === undefined);
      objects.leave(room, other);
      expect(objects.stored).not.toContain(room);
      await objects.elapse(10_000);
      expect(objects.stored).not.toContain(room);
    },
  );

  it('has nothing stored when its last reader leaves after a sleep', async () => {
    const objects = new ObjectsInMemory();
    const socket = objects.join(room);
    await objects.elapse(20_000);
    objects.sleep(room);
    objects.leave(room, socket);
    await objects.elapse(10_000);
    expect(objects.stored).not.toContain(room);
  });

  it('has nothing stored after a crash, once `system` has told it something', async () => {
    const objects = new ObjectsInMemory();
    objects.join(room);
    await objects.elapse(10_000);
    objects.crash(room);
    objects.alert();
    await objects.elapse(10_000);
    expect(objects.stored).toEqual(['system']);
  });

  it('serves its next readers as the first', async () => {
    const objects = new ObjectsInMemory();
    objects.leave(room, objects.join(room));
    const socket = objects.join(room);
    await objects.elapse(1_000);
    objects.append(room);
    objects.alert();
    await objects.elapse(1_000);
    const types = socket.frames.map((frame) => [frame.type, 'room' in frame ? frame.room : '']);
    expect(types).toContainEqual(['events', room]);
    expect(types).toContainEqual(['events', 'system']);
    objects.leave(room, socket);
    await objects.elapse(10_000);
    expect(objects.stored).toContain(room);
  });
});

describe('a relay that follows a room without any event', () => {
  const RELAY = 'relay weur.0';
  const MINUTE = 60_000;

  class Followed {
    readonly objects = new ObjectsInMemory();
    readonly socket = this.objects.join(RELAY, { system: 'off' });

    constructor() {
      this.say('subscribe');
    }

    say(type: 'subscribe' | 'unsubscribe'): void {
      void this.objects.room(RELAY).receive(this.socket, JSON.stringify({ type, room: 'trade:X' }));
    }

    /** How often the room was asked for whether it is still wanted. */
    get questions(): number {
      return this.objects.callsOf('push').length;
    }
  }

  it.each([false, true])(
    'is let go some time after its last reader (asleep: %s)',
    async (sleeps) => {
      const followed = new Followed();
      const { objects } = followed;
      await objects.elapse(MINUTE);
      expect(objects.stored).toContain('trade:X');
      followed.say('unsubscribe');
      await objects.elapse(20_000);
      if (sleeps) for (const name of ['trade:X', RELAY]) objects.sleep(name);
      await objects.elapse(10 * MINUTE);
      expect(objects.stored).toEqual([]);
      expect(followed.questions).toBe(1);
    },
  );

  it('is let go when the relay was lost', async () => {
    const { objects } = new Followed();
    await objects.elapse(MINUTE);
    objects.crash(RELAY);
    objects.crash('trade:X');
    await objects.elapse(11 * MINUTE);
    expect(objects.stored).toEqual([]);
  });

  it.each([false, true])(
    'is asked ever more rarely while it wants it (asleep: %s)',
    async (sleeps) => {
      const followed = new Followed();
      const { objects } = followed;
      for (let hours = 0; hours < 6; hours++) {
        await objects.elapse(60 * MINUTE);
        if (sleeps) for (const name of ['trade:X', RELAY]) objects.sleep(name);
      }
      expect(followed.questions).toBeGreaterThan(4);
      expect(followed.questions).toBeLessThan(10);
      const rows = objects.costs.rows;
      await objects.elapse(6 * 60 * MINUTE);
      expect(followed.questions).toBeLessThan(9);
      expect(objects.costs.rows - rows).toBeLessThan(50);
      objects.append('trade:X');
      await objects.elapse(1_000);
      expect(followed.socket.frames.map(({ type }) => type).slice(1)).toEqual([
        'subscribed',
        'snapshot',
        'events',
      ]);
    },
  );

  it('goes on when the question is lost', async () => {
    const followed = new Followed();
    const { objects } = followed;
    await objects.elapse(MINUTE);
    objects.meddle = () => Promise.reject(new Error('the network is down'));
    await objects.elapse(15 * MINUTE);
    objects.meddle = async (_call, make) => make();
    followed.say('unsubscribe');
    await objects.elapse(60 * MINUTE);
    expect(objects.stored).toEqual([]);
  });

  it('is asked through its branches', async () => {
    const objects = new ObjectsInMemory(2);
    const relays = Array.from({ length: 5 }, (_, number) => `relay weur.${number}`);
    for (const relay of relays) {
      const socket = objects.join(relay, { system: 'off' });
      void objects.room(relay).receive(socket, '{"type":"subscribe","room":"trade:X"}');
      await objects.elapse(5_000);
      objects.leave(relay, socket);
    }
    expect(objects.stored.filter((name) => name.startsWith('trade:X')).length).toBeGreaterThan(1);
    await objects.elapse(120 * MINUTE);
    expect(objects.stored).toEqual([]);
  });
});

describe('what was published', () => {
  it.each(['price:KEPT', 'trade:KEPT'])(
    'is kept in %s when the last reader has left',
    async (room) => {
      const objects = new ObjectsInMemory();
      const socket = objects.join(room, { system: 'off' });
      objects.append(room);
      await objects.elapse(10_000);
      objects.leave(room, socket);
      await objects.elapse(10_000);
      objects.sleep(room);
      expect(JSON.parse(objects.room(room).history(undefined, 1)).head).toBe(1);
    },
  );
});
