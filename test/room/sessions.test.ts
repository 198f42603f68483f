import { describe, expect, it } from 'vitest';
import { POLICIES } from '../../worker/policy.ts';
import { STALL_LIMIT, STALL_POLL } from '../../worker/room/delivery/laggards.ts';
import { WINDOW_CHARACTERS } from '../../worker/room/session/output/window.ts';
import { EPOCH, FakeSocket, RoomInMemory } from './room-in-memory.ts';

const HALF_MINUTE = 30_000;
const LARGE = 100_000;
/** As much as a window takes. */
const FULL = [{ size: LARGE }, { size: LARGE }, { size: LARGE }];

describe('a socket', () => {
  it('R3: is welcomed, subscribed, and sent the state, in this order', () => {
    const room = new RoomInMemory();
    room.append({});
    const socket = room.join({ user: 'u' });
    expect(socket.types).toEqual(['welcome', 'subscribed', 'snapshot']);
    expect(socket.frames[0]).toMatchObject({ user: 'u', limits: { window: 262_144 } });
  });

  it('that has unsubscribed stays open and is sent nothing, also after a sleep', () => {
    const room = new RoomInMemory();
    const socket = room.join();
    room.unsubscribe(socket, 'u1');
    expect(socket.frames.at(-1)).toEqual({ type: 'unsubscribed', id: 'u1', room: 'r' });
    const awake = room.wake(socket);
    awake.append({});
    expect(awake.sessions.size).toBe(1);
    expect(socket.sent).toEqual([]);
  });

  it('that leaves a room is not held up any more by what it was sent of that room', () => {
    const room = new RoomInMemory();
    const socket = room.join({ system: undefined });
    room.ack(socket, 0);
    room.of(socket).output.sendUpTo('system', 1, ['{}'.padEnd(WINDOW_CHARACTERS)]);
    room.append({});
    room.clock.advance(1_000);
    expect(socket.sent).toEqual([]);
    void room.say(socket, { type: 'unsubscribe', room: 'system' });
    expect(socket.sent).toEqual([[1]]);
  });

  it('that subscribes again goes on from where it says', () => {
    const room = new RoomInMemory();
    const socket = room.join();
    room.append({});
    room.unsubscribe(socket);
    room.append({});
    const since = { epoch: EPOCH, seq: 1 };
    room.subscribe(socket, { id: 's1', since });
    room.clock.advance(1_000);
    expect(socket.frames.at(-2)).toMatchObject({ id: 's1', recovered: true });
    expect(socket.sent).toEqual([[1], [2]]);
  });

  it('that subscribes twice is a member once, of the rate that it asked for last', () => {
    const room = new RoomInMemory(POLICIES.price);
    const socket = room.join();
    room.subscribe(socket, { maxRate: 1 });
    room.append({ key: 'A' });
    room.append({ key: 'A' });
    room.clock.advance(1_000);
    expect(socket.sent).toEqual([[2]]);
    room.subscribe(socket);
    room.append({ key: 'A' });
    expect(socket.sent).toEqual([[2], [3]]);
  });

  it('that was dismissed does not become a member again after a sleep', () => {
    const room = new RoomInMemory();
    const socket = room.join();
    void room.say(socket, 'x'.repeat(10_000));
    expect([room.sessions.size, room.sessions.closing]).toEqual([0, 1]);
    const awake = room.wake(socket);
    awake.append({});
    expect(socket.sent).toEqual([]);
    expect(awake.sessions.closing).toBe(1);
    awake.room.disconnect(socket);
    expect(awake.sessions.closing).toBe(0);
  });

  it('that cannot take what it has been sent is answered when it can, and is sent no state before', () => {
    const room = new RoomInMemory();
    const socket = room.join();
    room.append({});
    room.stall(socket);
    for (let id = 1; id <= 6; id++) room.subscribe(socket, { id });
    room.clock.advance(STALL_LIMIT - 1_000);
    expect(socket.types).toEqual(['welcome', 'subscribed', 'snapshot', 'events']);
    expect(socket.closedFor).toBeUndefined();
    socket.bufferedAmount = 0;
    room.clock.advance(STALL_POLL);
    expect(socket.types.slice(4)).toEqual(['subscribed', 'snapshot']);
    expect(socket.frames[4]).toMatchObject({ id: 6, seq: 1 });
    room.append({});
    expect(socket.sent).toEqual([[1], [2]]);
  });

  it('that asks and takes nothing is closed', () => {
    const room = new RoomInMemory();
    const socket = room.join();
    room.stall(socket);
    room.subscribe(socket);
    room.clock.advance(STALL_LIMIT + STALL_POLL);
    expect(socket.closedFor).toBe('slow_consumer');
    expect(room.clock.pending).toBe(0);
  });
});

describe('a peer', () => {
  it('that never pings is not thrown out', () => {
    const room = new RoomInMemory();
    const socket = room.join();
    for (let i = 0; i < 100; i++) {
      room.clock.advance(HALF_MINUTE);
      room.append({});
    }
    expect(socket.closedFor).toBeUndefined();
  });

  it('R12: that pinged and fell silent is dismissed, when the room flushes', () => {
    const room = new RoomInMemory();
    const [silent, alive] = [room.join(), room.join()];
    room.pings.set(silent, room.now);
    for (let i = 0; i < 5; i++) {
      room.clock.advance(HALF_MINUTE);
      room.pings.set(alive, room.now);
      room.append({});
    }
    expect(silent.closedFor).toBeUndefined();
    room.clock.advance(HALF_MINUTE);
    room.append({});
    expect(silent.closedFor).toBe('peer_silent');
    expect(silent.sent.length).toBe(5);
    expect(alive.closedFor).toBeUndefined();
    expect(room.clock.pending).toBe(0);
  });
});

describe('a token', () => {
  const withToken = (room: RoomInMemory, ms: number, socket = new FakeSocket()) =>
    room.join({ user: 'u', tokenExpiresAt: room.now + ms }, socket);

  it('that has ended ends the membership of a private room before anything more is sent', () => {
    const room = new RoomInMemory(POLICIES.user);
    const [short, long] = [withToken(room, 1_000), withToken(room, 2_000)];
    room.clock.advance(1_000);
    room.append({});
    expect(short.closedFor).toBe('token_expired');
    expect(short.sent).toEqual([]);
    expect(long.sent).toEqual([[1]]);
    room.clock.advance(1_000);
    room.append({});
    expect(long.closedFor).toBe('token_expired');
  });

  it('that has ended during a sleep ends the session before anything more is sent', () => {
    const room = new RoomInMemory(POLICIES.user);
    const socket = withToken(room, 1_000);
    room.stall(socket);
    room.append({});
    expect(socket.attachment).toMatchObject({ subscriptions: [{ cursor: 0 }] });
    socket.bufferedAmount = 0;
    room.clock.forgetTimers();
    room.clock.advance(1_000);
    room.wake(socket);
    expect([socket.sent, socket.closedFor]).toEqual([[], 'token_expired']);
  });

  it('that has ended lets nobody subscribe again', () => {
    const room = new RoomInMemory(POLICIES.user);
    const socket = withToken(room, 1_000);
    room.clock.advance(1_000);
    room.subscribe(socket);
    expect(socket.closedFor).toBe('token_expired');
    expect(socket.types).toEqual(['welcome', 'subscribed', 'snapshot']);
  });

  it('that has ended lets no ack fetch more', () => {
    const room = new RoomInMemory(POLICIES.user);
    const socket = withToken(room, 1_000);
    room.ack(socket, 0);
    room.appendEach(...FULL, { size: LARGE });
    room.clock.advance(1_000);
    room.ack(socket, 3);
    expect(socket.closedFor).toBe('token_expired');
    expect(socket.sent).toEqual([[1], [2], [3]]);
  });

  it('that has ended ends nothing in a public room', () => {
    const room = new RoomInMemory(POLICIES.trade);
    const socket = withToken(room, 1_000);
    room.clock.advance(1_000);
    room.append({});
    expect(socket.sent).toEqual([[1]]);
  });

  it('is renewed, and told so, without losing the place', async () => {
    const room = new RoomInMemory(POLICIES.user);
    const socket = withToken(room, 1_000);
    room.ack(socket, 0);
    room.appendEach(...FULL, { size: LARGE });
    await room.auth(socket, 'u', room.now + 5_000);
    expect(socket.frames.at(-1)).toMatchObject({ type: 'welcome', expiresAt: room.now + 5_000 });
    const place = { subscriptions: [{ cursor: 3 }], tokenExpiresAt: room.now + 5_000 };
    expect(socket.attachment).toMatchObject(place);
    room.clock.advance(2_000);
    room.ack(socket, 3);
    expect(socket.sent.at(-1)).toEqual([4]);
  });
});
