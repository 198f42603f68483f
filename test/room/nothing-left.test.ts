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

  it('is known again when it has expired: a record that comes twice is a duplicate', async () => {
    const objects = new ObjectsInMemory();
    objects.append('trade:KEPT');
    objects.leave('trade:KEPT', objects.join('trade:KEPT'));
    await objects.elapse(10 * 86_400_000);
    objects.leave('trade:KEPT', objects.join('trade:KEPT'));
    expect(objects.stored).toContain('trade:KEPT');
  });
});
