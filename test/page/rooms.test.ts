import { describe, expect, it } from 'vitest';
import type { Frame } from '../../worker/page/delivery/frame.ts';
import { Rooms } from '../../worker/page/delivery/rooms.ts';

const room = 'price:BTC-USDC';
const entry = (seq: number) => ({ seq, event: { timestamp: seq } });
const entries = (...seqs: number[]) => seqs.map(entry);
const subscribed = (seq: number, recovered = false, epoch = 1): Frame => ({
  type: 'subscribed',
  room,
  epoch,
  seq,
  recovered,
});
const events = (after: number, ...seqs: number[]): Frame => ({
  type: 'events',
  room,
  after,
  events: entries(...seqs),
});

/** A room that has been subscribed to, and stands at 10. */
function standing(): Rooms {
  const rooms = new Rooms();
  rooms.expect(room);
  rooms.observe(subscribed(10));
  rooms.observe({ type: 'snapshot', room, epoch: 1, seq: 10, events: entries(10) });
  return rooms;
}

describe('the rooms of the delivery panel', () => {
  it('stand where the last frame has brought them', () => {
    const rooms = standing();
    expect(rooms.observe(events(10, 11, 12))).toBe(0);
    expect(rooms.rows).toMatchObject([{ room, state: 'live', seq: 12, conflated: 0, gaps: 0 }]);
  });

  it('stand at a snapshot only with its last part', () => {
    const rooms = new Rooms();
    rooms.expect(room);
    rooms.observe({ type: 'snapshot', room, epoch: 1, seq: 9, more: true, events: entries(3) });
    expect(rooms.rows).toMatchObject([{ seq: 0 }]);
    rooms.observe({ type: 'snapshot', room, epoch: 1, seq: 9, events: entries(9) });
    expect(rooms.rows).toMatchObject([{ seq: 9 }]);
  });

  it('count the numbers that are missing inside a frame as conflated', () => {
    const rooms = standing();
    rooms.observe(events(10, 13, 17));
    expect(rooms.conflated).toBe(5);
  });

  it('count what was missed, and tell what came again from what was replaced', () => {
    const rooms = standing();
    rooms.disconnected();
    expect(rooms.rows).toMatchObject([{ state: 'away' }]);
    rooms.observe(subscribed(20, true));
    expect(rooms.observe(events(10, 12, 15))).toBe(2);
    expect(rooms.resume).toEqual({ missed: 10, again: 2, replaced: 3, lost: 0 });
    // The rest, together with what is new: only the first of the three was missed.
    expect(rooms.observe(events(15, 20, 21, 22))).toBe(1);
    expect(rooms.resume).toEqual({ missed: 10, again: 3, replaced: 7, lost: 0 });
    expect(rooms.observe(events(22, 23))).toBe(0);
    expect(rooms.resume).toEqual({ missed: 10, again: 3, replaced: 7, lost: 0 });
  });

  it('count what a gap tells of as lost', () => {
    const rooms = standing();
    rooms.disconnected();
    rooms.observe(subscribed(60));
    rooms.observe({ type: 'gap', room, epoch: 1, from: 10, to: 60, reason: 'trimmed' });
    rooms.observe({ type: 'snapshot', room, epoch: 1, seq: 60, events: entries(60) });
    expect(rooms.resume).toEqual({ missed: 50, again: 0, replaced: 0, lost: 50 });
    expect(rooms.rows).toMatchObject([{ gaps: 1, seq: 60 }]);
  });

  it('count a gap of another epoch, whose numbers cannot be subtracted', () => {
    const rooms = standing();
    rooms.disconnected();
    rooms.observe(subscribed(3, false, 2));
    rooms.observe({ type: 'gap', room, epoch: 2, from: 10, to: 3, reason: 'epoch' });
    rooms.observe({ type: 'snapshot', room, epoch: 2, seq: 3, events: entries(3) });
    expect(rooms.gaps).toBe(1);
    expect(rooms.resume).toMatchObject({ missed: 0, lost: 0 });
    expect(rooms.rows).toMatchObject([{ epoch: 2, seq: 3 }]);
  });

  it('count nothing as missed when a room is subscribed to anew over the same connection', () => {
    const rooms = standing();
    rooms.observe(subscribed(14, true));
    expect(rooms.observe(events(10, 11, 12, 13, 14))).toBe(0);
    expect(rooms.resume).toBeUndefined();
  });

  it('are lost once, however many attempts to come back fail', () => {
    const rooms = standing();
    for (let count = 0; count < 3; count++) rooms.disconnected();
    expect(rooms.losses).toBe(1);
    rooms.observe(subscribed(10, true));
    rooms.disconnected();
    expect(rooms.losses).toBe(2);
  });

  it('bring system by itself, and pass over rooms that were left', () => {
    const rooms = standing();
    rooms.forget(room);
    rooms.observe(events(10, 11));
    rooms.observe({ type: 'subscribed', room: 'system', epoch: 1, seq: 2, recovered: false });
    expect(rooms.rows.map((row) => row.room)).toEqual(['system']);
  });
});
