import { describe, expect, it, vi } from 'vitest';
import { POLICIES, type Policy } from '../../worker/policy.ts';
import * as frames from '../../worker/protocol/frames.ts';
import { STALL_LIMIT } from '../../worker/room/delivery/laggards.ts';
import { WINDOW_CHARACTERS } from '../../worker/room/session/output/window.ts';
import { EPOCH, type FakeSocket, RoomInMemory } from './room-in-memory.ts';

vi.mock(import('../../worker/protocol/frames.ts'), async (original) => {
  const module = await original();
  return { ...module, encodeEvents: vi.fn(module.encodeEvents) };
});

const ofEntries = (entries: number, base: Policy = POLICIES.trade): Policy => ({
  ...base,
  retention: { ...base.retention, entries },
});
const LARGE = 100_000;
/** As much as a window takes. */
const FULL = [{ size: LARGE }, { size: LARGE }, { size: LARGE }];

/** A member that took more than fits, and reads no more. */
function stall(room: RoomInMemory, socket: FakeSocket): void {
  room.stall(socket);
  room.append({});
  room.clock.advance(0);
}

describe('a flush', () => {
  it('composes one frame for all members at a cursor', () => {
    const room = new RoomInMemory();
    const sockets = Array.from({ length: 500 }, () => room.join());
    room.clock.advance(1_000);
    vi.mocked(frames.encodeEvents).mockClear();
    room.append({}, {}, {});
    expect(frames.encodeEvents).toHaveBeenCalledTimes(1);
    for (const { sent } of sockets) expect(sent).toEqual([[1, 2, 3]]);
  });

  it.each([
    ['high', 0],
    ['medium', 50],
    ['low', 250],
  ] as const)('lets an event of %s priority wait %i ms for company', (priority, ms) => {
    const room = new RoomInMemory();
    const socket = room.join();
    room.append({ priority });
    if (ms > 0) {
      room.clock.advance(ms - 1);
      expect(socket.sent).toEqual([]);
      room.clock.advance(1);
    }
    expect(socket.sent).toEqual([[1]]);
    expect(room.clock.pending).toBe(0);
  });

  it('sends all that is pending, in order: priority never reorders', () => {
    const room = new RoomInMemory();
    const socket = room.join();
    room.append({ priority: 'low' }, { priority: 'medium' });
    room.append({ priority: 'high' });
    expect(socket.sent).toEqual([[1, 2, 3]]);
  });

  it('comes no sooner after the last one than the policy says', () => {
    const room = new RoomInMemory(POLICIES.price_updates);
    const socket = room.join();
    room.append({ key: 'A' });
    room.append({ key: 'B' });
    room.clock.advance(99);
    expect(socket.sent).toEqual([[1]]);
    room.clock.advance(1);
    expect(socket.sent).toEqual([[1], [2]]);
  });

  it('R7: comes no sooner than the budget of sending time affords, after a burst', () => {
    const room = new RoomInMemory();
    const sockets = Array.from({ length: 1_000 }, () => room.join());
    // A flush to 1,000 recipients costs 31 ms. A rested object has 50 ms to spend at once.
    for (let i = 0; i < 4; i++) room.append({});
    expect(sockets[0]?.sent).toEqual([[1], [2]]);
    room.clock.advance(19);
    expect(sockets[0]?.sent).toEqual([[1], [2]]);
    room.clock.advance(2);
    expect(sockets[0]?.sent).toEqual([[1], [2], [3, 4]]);
    // Two fifths of the time are left for everything else.
    room.append({});
    room.clock.advance(50);
    expect(sockets[0]?.sent.length).toBe(3);
    room.clock.advance(2);
    expect(sockets[0]?.sent).toEqual([[1], [2], [3, 4], [5]]);
  });

  it('waits for nothing when more is pending than may be', () => {
    const room = new RoomInMemory(POLICIES.price_updates);
    const socket = room.join();
    room.append({ key: 'A' });
    room.append(...Array.from({ length: 501 }, () => ({ key: 'A', priority: 'low' as const })));
    expect(socket.sent.flat().length).toBe(502);
    room.append(...Array.from({ length: 6 }, () => ({ key: 'A', size: LARGE })));
    expect(socket.sent.flat().length).toBe(508);
  });

  it('R7: is paid for also when more was pending than may be', () => {
    const room = new RoomInMemory();
    const [socket] = Array.from({ length: 2_000 }, () => room.join());
    room.append(...Array.from({ length: 501 }, () => ({})));
    expect(socket?.sent.flat().length).toBe(501);
    room.append({});
    expect(socket?.sent.flat().length).toBe(501);
    room.clock.advance(200);
    expect(socket?.sent.flat().length).toBe(502);
  });

  it('delivers to a member that joined meanwhile what its snapshot did not have', () => {
    const room = new RoomInMemory();
    room.append({ priority: 'low' });
    const socket = room.join();
    room.append({ priority: 'low' });
    room.clock.advance(250);
    expect(socket.frames.at(-2)).toMatchObject({ type: 'snapshot', seq: 1 });
    expect(socket.frames.at(-1)).toMatchObject({ type: 'events', after: 1 });
    expect(socket.sent).toEqual([[2]]);
  });

  it('leaves out what expired while it was pending, and a sleep does not forget who stands before it', () => {
    const room = new RoomInMemory();
    const socket = room.join();
    room.append({});
    room.append({ priority: 'low', expiresAt: room.now + 100 });
    room.clock.advance(300);
    expect(socket.sent).toEqual([[1]]);
    expect(socket.attachment?.subscriptions[0]?.cursor).toBe(1);
    const awake = room.wake(socket);
    awake.clock.advance(1_000);
    awake.append({});
    expect(socket.frames.at(-1)).toMatchObject({ type: 'events', after: 1 });
    expect(socket.attachment?.subscriptions[0]?.cursor).toBeUndefined();
  });

  it('leaves no timer behind, with members or without', () => {
    const room = new RoomInMemory();
    room.append({ priority: 'low' });
    room.join({ maxRate: 1 });
    room.join();
    room.append({ priority: 'medium' });
    room.clock.advance(2_000);
    expect(room.clock.pending).toBe(0);
  });

  it('finds out which members are gone, and goes on with the others', () => {
    const room = new RoomInMemory();
    const [gone, here] = [room.join(), room.join()];
    gone.isBroken = true;
    room.append({});
    expect(here.sent).toEqual([[1]]);
    expect(room.sessions.size).toBe(1);
  });
});

describe('a rated member', () => {
  it('is sent to on ticks that all of its rate share', () => {
    const room = new RoomInMemory(POLICIES.price);
    const early = room.join({ maxRate: 2 });
    room.clock.advance(120);
    const late = room.join({ maxRate: 2 });
    room.append({ key: 'A' });
    room.clock.advance(379);
    expect(early.sent).toEqual([]);
    vi.mocked(frames.encodeEvents).mockClear();
    room.clock.advance(1);
    expect(early.sent).toEqual([[1]]);
    expect(late.sent).toEqual([[1]]);
    expect(frames.encodeEvents).toHaveBeenCalledTimes(1);
  });

  it('gets the latest per key of a keyed room, and no more frames than it asked for', () => {
    const room = new RoomInMemory(POLICIES.price_updates);
    const socket = room.join({ maxRate: 5 });
    for (let time = 0; time < 2_000; time += 10) {
      room.append({ key: 'A' }, { key: 'B' });
      room.clock.advance(10);
    }
    expect(socket.sent.length).toBe(10);
    for (const seqs of socket.sent) expect(seqs.length).toBe(2);
    expect(room.losses.conflated).toBe(400 - 20);
  });

  it('gets every event of a room without keys', () => {
    const room = new RoomInMemory();
    const socket = room.join({ maxRate: 1 });
    for (let i = 0; i < 5; i++) room.append({ key: 'A' });
    room.clock.advance(1_000);
    expect(socket.sent).toEqual([[1, 2, 3, 4, 5]]);
  });

  it('is sent each event once, though its group catches up in parts and meets another', () => {
    const room = new RoomInMemory();
    const first = room.join({ maxRate: 1 });
    room.append({ size: LARGE }, { size: LARGE }, { size: LARGE });
    const second = room.join({ maxRate: 1 });
    room.append({});
    room.clock.advance(1_000);
    expect(first.sent).toEqual([
      [1, 2],
      [3, 4],
    ]);
    expect(second.sent).toEqual([[4]]);
  });
});

describe('a member that does not keep up', () => {
  it('lags, and delays nobody', () => {
    const room = new RoomInMemory();
    const [slow, quick] = [room.join(), room.join()];
    stall(room, slow);
    room.append({});
    room.clock.advance(1);
    expect(quick.sent.flat()).toEqual([1, 2]);
    expect(slow.sent).toEqual([]);
    slow.bufferedAmount = 0;
    room.clock.advance(250);
    expect(slow.sent).toEqual([[1, 2]]);
    room.append({});
    expect(slow.sent).toEqual([[1, 2], [3]]);
    expect(room.clock.pending).toBe(0);
  });

  it('takes of a flush as much as fits', () => {
    const room = new RoomInMemory();
    const socket = room.join();
    room.ack(socket, 0);
    room.append(...Array.from({ length: 9 }, () => ({ size: LARGE })));
    expect(socket.sent).toEqual([
      [1, 2],
      [3, 4],
    ]);
    room.ack(socket, 4);
    expect(socket.sent.slice(2)).toEqual([[5, 6]]);
  });

  it('is closed when it takes nothing for 30 s and never acks', () => {
    const room = new RoomInMemory();
    const socket = room.join();
    stall(room, socket);
    room.clock.advance(STALL_LIMIT - 250);
    expect(socket.closedFor).toBeUndefined();
    room.clock.advance(500);
    expect(socket.closedFor).toBe('slow_consumer');
    expect(socket.attachment).toBeNull();
    expect(room.losses.slowConsumers).toBe(1);
    expect(room.clock.pending).toBe(0);
  });

  it('is not closed while it takes something now and then', () => {
    const room = new RoomInMemory();
    const socket = room.join();
    for (let i = 0; i < 5; i++) {
      stall(room, socket);
      room.clock.advance(STALL_LIMIT - 1_000);
      socket.bufferedAmount = 0;
      room.clock.advance(1_000);
    }
    expect(socket.closedFor).toBeUndefined();
    expect(socket.sent.flat()).toEqual([1, 2, 3, 4, 5]);
  });

  it('gets the latest per key of a keyed room', () => {
    const room = new RoomInMemory(POLICIES.price);
    const socket = room.join();
    room.stall(socket);
    for (let i = 0; i < 20; i++) {
      room.append({ key: 'A' });
      room.clock.advance(20);
    }
    socket.bufferedAmount = 0;
    room.clock.advance(300);
    expect(socket.sent).toEqual([[20]]);
    expect(room.losses.conflated).toBe(19);
  });

  it('is sent all of a keyed room when its buffer was full for a moment only', () => {
    const room = new RoomInMemory(POLICIES.price);
    const socket = room.join();
    room.stall(socket);
    for (let i = 0; i < 10; i++) {
      room.append({ key: 'A' });
      room.clock.advance(10);
    }
    socket.bufferedAmount = 0;
    room.clock.advance(300);
    expect(socket.sent.flat()).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect(room.losses.conflated).toBe(0);
  });

  it('gets a gap and the snapshot of a room without keys, once it fell off the tail', () => {
    const room = new RoomInMemory(ofEntries(3));
    const socket = room.join();
    stall(room, socket);
    room.append({}, {}, {}, {});
    socket.bufferedAmount = 0;
    room.clock.advance(300);
    expect(socket.types.slice(-2)).toEqual(['gap', 'snapshot']);
    expect(socket.frames.at(-2)).toMatchObject({ from: 0, to: 5, reason: 'trimmed' });
    expect(room.losses.gaps).toBe(1);
    room.append({});
    expect(socket.frames.at(-1)).toMatchObject({ type: 'events', after: 5 });
  });

  it('is sent a gap, too, when what it missed grew too old', () => {
    const policy = POLICIES.trade;
    const room = new RoomInMemory(policy);
    const socket = room.join();
    room.ack(socket, 0);
    room.appendEach(...FULL, {});
    room.clock.advance(policy.retention.age + 1);
    room.ack(socket, 3);
    expect(socket.types.slice(-2)).toEqual(['gap', 'snapshot']);
  });

  it('costs others no turn: laggards are served 64 slices at a time', () => {
    const room = new RoomInMemory();
    const slow = Array.from({ length: 100 }, () => room.join());
    const quick = room.join();
    for (const socket of slow) room.stall(socket);
    room.append({});
    for (const socket of slow) socket.bufferedAmount = 0;
    const served = () => slow.filter(({ sent }) => sent.length > 0).length;
    room.clock.advance(10);
    expect(served()).toBe(64);
    room.append({});
    room.clock.advance(9);
    expect(quick.sent.flat()).toEqual([1, 2]);
    room.clock.advance(1);
    expect(served()).toBe(100);
    expect(room.clock.pending).toBe(0);
  });
});

describe('a member that acks', () => {
  it('waits at its window without a timer, and goes on from the log', () => {
    const room = new RoomInMemory();
    const socket = room.join();
    room.ack(socket, 0);
    room.appendEach(...FULL, ...FULL);
    expect(socket.sent).toEqual([[1], [2], [3]]);
    room.clock.advance(10 * STALL_LIMIT);
    expect(socket.closedFor).toBeUndefined();
    expect(room.clock.pending).toBe(0);
    room.ack(socket, 2);
    room.clock.advance(100);
    expect(socket.sent.slice(3)).toEqual([[4, 5]]);
    expect(room.of(socket).output.inFlight).toBeLessThan(WINDOW_CHARACTERS + 4 * LARGE);
  });

  it('is never sent more than its window, also when the tail no longer has what is on its way', () => {
    const room = new RoomInMemory(ofEntries(2));
    const socket = room.join();
    room.ack(socket, 0);
    let sent = 0;
    for (let acked = 0; acked < 40; acked++) {
      for (let i = 0; i < 8; i++) room.append({ size: LARGE / 2 });
      room.clock.advance(50);
      sent = socket.sent.flat().at(-1) ?? sent;
      // Every other time only a part of it was received.
      room.ack(socket, sent - 3);
      const { inFlight: characters } = room.of(socket).output;
      expect(characters).toBeGreaterThanOrEqual(3 * (LARGE / 2));
    }
  });

  it('stands where it stood, its window as full, when the room has slept', () => {
    const room = new RoomInMemory();
    const socket = room.join();
    room.ack(socket, 0);
    room.appendEach(...FULL, { size: LARGE });
    const awake = room.wake(socket);
    awake.clock.advance(1_000);
    awake.append({});
    awake.clock.advance(1_000);
    expect(socket.sent).toEqual([[1], [2], [3]]);
    awake.ack(socket, 3);
    awake.clock.advance(1_000);
    expect(socket.sent.slice(3)).toEqual([[4, 5]]);
  });

  it('has its full window remembered over a sleep, though it was sent everything', () => {
    const room = new RoomInMemory();
    const socket = room.join();
    room.ack(socket, 0);
    room.appendEach(...FULL);
    const awake = room.wake(socket);
    awake.appendEach({});
    expect(socket.sent).toEqual([[1], [2], [3]]);
    awake.ack(socket, 3);
    expect(socket.sent.at(-1)).toEqual([4]);
    expect(socket.attachment?.inFlight).toBeUndefined();
  });

  it('acks nothing by a number that it was never sent', () => {
    const room = new RoomInMemory();
    const socket = room.join();
    room.ack(socket, 0);
    room.appendEach(...FULL, { size: LARGE });
    room.ack(socket, 4);
    expect(socket.sent).toEqual([[1], [2], [3]]);
  });

  it('begins with nothing but its snapshot in its window when it subscribes again', () => {
    const room = new RoomInMemory();
    const socket = room.join();
    room.ack(socket, 0);
    room.appendEach(...FULL, { size: LARGE });
    room.unsubscribe(socket);
    room.ack(socket, 3);
    room.subscribe(socket);
    room.append({});
    room.clock.advance(100);
    // The first parts of the snapshot fill it, so the others and the event wait for an ack.
    const parts = () =>
      socket.frames.flatMap((frame) => (frame.type === 'snapshot' ? [frame.more] : [])).slice(1);
    expect(parts()).toEqual([true, true, true]);
    expect(socket.sent.flat()).not.toContain(5);
    room.ack(socket, 4);
    room.clock.advance(100);
    expect(parts()).toEqual([true, true, true, undefined]);
    expect(socket.sent.at(-1)).toEqual([5]);
  });
});

describe('a member that comes back', () => {
  it('gets all that it missed, in frames of bounded size, before anything else', () => {
    const room = new RoomInMemory();
    for (let i = 0; i < 8; i++) room.append({ size: LARGE });
    const socket = room.join({ since: { epoch: EPOCH, seq: 0 } });
    room.append({});
    room.clock.advance(100);
    expect(socket.sent).toEqual([
      [1, 2],
      [3, 4],
      [5, 6],
      [7, 8, 9],
    ]);
    expect(room.clock.pending).toBe(0);
  });

  it('gets once what is pending', () => {
    const room = new RoomInMemory();
    room.append({});
    room.append({ priority: 'low' }, { priority: 'low' });
    const socket = room.join({ since: { epoch: EPOCH, seq: 2 } });
    room.clock.advance(250);
    expect(socket.sent).toEqual([[3]]);
  });
});
