/** A large snapshot comes in parts, and its readers are given it whole or not at all. */
import { describe, expect, it } from 'vitest';
import type { LogFrame } from '../../worker/client/connection/wire.ts';
import { SnapshotParts } from '../../worker/client/subscription/snapshot-parts.ts';

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
    expect(parts.join(snapshot(9, [7, 9]))).toEqual(snapshot(9, [1, 2, 4, 7, 9]));
    expect(parts.join(snapshot(12, [12]))).toEqual(snapshot(12, [12]));
  });

  it('are forgotten when anything else comes between them', () => {
    const parts = new SnapshotParts();
    expect(parts.join(snapshot(9, [1, 2], true))).toBeUndefined();
    expect(parts.join(gap)).toEqual(gap);
    expect(parts.join(snapshot(12, [11], true))).toBeUndefined();
    expect(parts.join(snapshot(12, [12]))).toEqual(snapshot(12, [11, 12]));
  });
});
