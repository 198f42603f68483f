import { describe, expect, it } from 'vitest';
import { POLICIES } from '../../worker/policy.ts';
import { EPOCH, RoomInMemory } from './room-in-memory.ts';

const LARGE = 100_000;

describe('a socket that is closing', () => {
  it('costs nobody anything when its message cannot be answered', () => {
    const room = new RoomInMemory();
    const [closing, here] = [room.join(), room.join()];
    closing.isBroken = true;
    void room.say(closing, 'no message at all');
    expect(room.aborted).toBeUndefined();
    expect(room.sessions.size).toBe(1);
    room.append({});
    expect(here.sent).toEqual([[1]]);
  });

  it('costs nobody anything when it closes while its token is checked', async () => {
    const room = new RoomInMemory();
    const [closing, here] = [room.join(), room.join()];
    const answered = room.auth(closing, 'u', room.now + 1_000);
    closing.isBroken = true;
    await answered;
    expect(room.aborted).toBeUndefined();
    room.append({});
    expect(here.sent).toEqual([[1]]);
  });

  it.each([
    ['subscribe', { type: 'subscribe' }],
    ['unsubscribe', { type: 'unsubscribe' }],
    ['another room', { type: 'subscribe', room: 'other' }],
  ])('is let go when it cannot be answered: %s', (_what, message) => {
    const room = new RoomInMemory();
    const closing = room.join();
    closing.isBroken = true;
    void room.say(closing, message);
    expect([room.aborted, room.sessions.size]).toEqual([undefined, 0]);
  });
});

describe('a turn', () => {
  it('writes the attachment of a session once, however often it changed', () => {
    const room = new RoomInMemory();
    const socket = room.join();
    expect(socket.attachmentsWritten).toBe(1);
    room.ack(socket, 0);
    expect(socket.attachmentsWritten).toBe(2);
    // It takes two slices, falls behind, and is saved once for all of that.
    room.append(...Array.from({ length: 6 }, () => ({ size: LARGE })));
    expect(socket.attachmentsWritten).toBe(3);
    expect(socket.attachment).toMatchObject({ subscriptions: [{ cursor: 4 }], acks: true });
  });

  it('writes no attachment for a member that keeps up', () => {
    const room = new RoomInMemory();
    const sockets = Array.from({ length: 10 }, () => room.join());
    for (let i = 0; i < 20; i++) room.append({});
    for (const { attachmentsWritten } of sockets) expect(attachmentsWritten).toBe(1);
  });

  it('leaves one timer at the most, for whatever is due first', () => {
    const room = new RoomInMemory(POLICIES.price_updates);
    const [slow] = [room.join(), room.join({ maxRate: 1 })];
    for (let i = 0; i < 100; i++) {
      if (i === 50) room.stall(slow);
      room.append({ key: 'A', priority: i % 2 === 0 ? 'low' : 'high' });
      expect(room.clock.pending).toBeLessThanOrEqual(1);
      room.clock.advance(7);
    }
    slow.bufferedAmount = 0;
    // Until the store has saved the room.
    room.clock.advance(4_000);
    expect(room.clock.pending).toBe(0);
  });

  it('that fails ends the object, for memory may be ahead of the disk', () => {
    const room = new RoomInMemory();
    room.join();
    room.breakDisk();
    expect(() => room.append({})).toThrow('the disk is broken');
    expect(String(room.aborted)).toContain('the disk is broken');
  });
});

describe('a room that is full', () => {
  it('has no space for another socket, until one is closed', () => {
    const room = new RoomInMemory(POLICIES.trade, undefined, 2);
    const [first] = [room.join(), room.join()];
    expect(room.room.hasSpace).toBe(false);
    room.room.disconnect(first);
    expect(room.room.hasSpace).toBe(true);
  });
});

describe('an in-memory room', () => {
  it('that has never had an event reports no gap to a client that comes back after a sleep', () => {
    const room = new RoomInMemory(POLICIES.price);
    room.join();
    room.clock.advance(60_000);
    const later = room.wake();
    const back = later.join({ since: { epoch: EPOCH, seq: 0 } });
    expect(back.frames).toMatchObject([
      { type: 'welcome' },
      { type: 'subscribed', recovered: true, seq: 0 },
    ]);
    later.append({});
    expect(back.sent).toEqual([[1]]);
  });

  it('that lost its events in a crash reports a gap to a client that had received none of them', () => {
    const room = new RoomInMemory(POLICIES.price);
    room.append({});
    const back = room.wake().join({ since: { epoch: EPOCH, seq: 0 } });
    expect(back.types).toEqual(['welcome', 'subscribed', 'gap', 'snapshot']);
  });
});

describe('a client that asks again and again', () => {
  const asks = (room: RoomInMemory, times: number) => {
    const socket = room.join();
    for (let time = 0; time < times; time++) room.subscribe(socket);
    return socket.closedFor;
  };

  it('may ask as often as it may send messages, when the answers are short', () => {
    const room = new RoomInMemory(POLICIES.price_updates);
    expect(asks(room, 90)).toBeUndefined();
  });

  it('is charged by the size of the answers', () => {
    const room = new RoomInMemory(POLICIES.price_updates);
    for (let key = 0; key < 100; key++) room.append({ key: String(key), size: 1_000 });
    expect(asks(room, 20)).toBeUndefined();
    expect(asks(room, 90)).toBe('too_many_messages');
  });
});
