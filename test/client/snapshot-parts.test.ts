/** A large snapshot comes in parts, and its readers are given it whole or not at all. */
import { describe, expect, it } from 'vitest';
import type { LogFrame } from '../../worker/client/connection/wire.ts';
import { SnapshotParts } from '../../worker/client/subscription/snapshot-parts.ts';
import { FakeGateway, snapshot as numbered, subscribed, WELCOME } from './support/fake-gateway.ts';

const at = { room: 'price_updates', epoch: 7 };
const event = (seq: number) => ({ seq, event: { type: 'price_update', symbol: `S${seq}` } });

function snapshot(seq: number, events: number[], more?: true): LogFrame {
  return {
    type: 'snapshot',
    ...at,
    seq,
    events: events.map(event),
    ...(more && { more }),
  } as never;
}
const gap = { type: 'gap', ...at, from: 1, to: 9, reason: 'trimmed' } as LogFrame;

describe('the parts of a snapshot', () => {
  it('are given together with the last one, in their order', () => {
    const parts = new SnapshotParts();
    expect(parts.join(snapshot(9, [1, 2], true))).toBeUndefined();
    expect(parts.join(snapshot(9, [4], true))).toBeUndefined();
    const whole = snapshot(9, [1, 2, 4, 7, 9]);
    expect(parts.join(snapshot(9, [7, 9]))).toEqual(whole);
    const next = snapshot(12, [12]);
    expect(parts.join(snapshot(12, [12]))).toEqual(next);
  });

  it('are forgotten when anything else comes between them', () => {
    const parts = new SnapshotParts();
    expect(parts.join(snapshot(9, [1, 2], true))).toBeUndefined();
    expect(parts.join(gap)).toEqual(gap);
    expect(parts.join(snapshot(12, [11], true))).toBeUndefined();
    const whole = snapshot(12, [11, 12]);
    expect(parts.join(snapshot(12, [12]))).toEqual(whole);
  });
});

describe('a client that is shown a large state', () => {
  const ROOM = 'price_updates';
  /** What the room shows at most, in parts of 60 symbols. */
  function* partsOf(count: number) {
    for (let first = 1; first <= count; first += 60) {
      const last = Math.min(first + 59, count);
      const seqs = Array.from({ length: last - first + 1 }, (_, index) => first + index);
      yield { ...numbered(ROOM, count, seqs), ...(last < count && { more: true }) };
    }
  }
  const welcome = { ...WELCOME, limits: { ...WELCOME.limits, window: 262_144 } };
  const SYMBOLS = 4_000;

  it('reads all of it by a loop', async () => {
    const gateway = new FakeGateway();
    const client = gateway.client();
    const subscription = client.subscribe(ROOM, { onGap: () => expect.unreachable() });
    const loop = subscription[Symbol.asyncIterator]();
    const socket = await gateway.socket();
    socket.open();
    socket.say(welcome, subscribed(ROOM, SYMBOLS, false), ...partsOf(SYMBOLS));
    for (let seq = 1; seq <= SYMBOLS; seq++) expect((await loop.next()).value?.seq).toBe(seq);
  });

  it('acks after each half window, so that it never sends too many messages', async () => {
    const gateway = new FakeGateway();
    gateway.client().subscribe(ROOM);
    const socket = await gateway.socket();
    socket.open();
    const parts = [...partsOf(SYMBOLS)];
    const characters = parts.reduce((sum, part) => sum + JSON.stringify(part).length, 0);
    socket.say(welcome, subscribed(ROOM, SYMBOLS, false), ...parts);
    const acks = socket.messages.filter(({ type }) => type === 'ack');
    expect(acks[0]).toEqual({ type: 'ack', room: ROOM, seq: SYMBOLS });
    // The first part, each half window, and the whole.
    expect(acks.length).toBeLessThanOrEqual(2 + characters / (262_144 / 2));
    expect(parts.length).toBeGreaterThan(60);
  });
});
