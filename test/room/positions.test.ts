import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Positions } from '../../worker/room/intake/positions.ts';
import { MAX_WEBHOOK_IDS, WebhookIds } from '../../worker/room/intake/webhook-ids.ts';

const at = (offset: number, timestamp: number, partition = 0, topic = 't') => ({
  topic,
  partition,
  offset,
  timestamp,
});

describe('positions', () => {
  it('let each record in once, however a sender repeats itself', () => {
    // A sender that goes on from any earlier offset, as often as it likes.
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(9), fc.nat(9)), { maxLength: 30 }), (restarts) => {
        const positions = new Positions();
        const taken: number[] = [];
        let next = 0;
        for (const [back, forth] of restarts) {
          const from = Math.max(0, next - back);
          for (let offset = from; offset <= from + forth; offset++) {
            // Producers' clocks: times go back and forth.
            const position = at(offset, 1_000 + ((offset * 7) % 5));
            if (positions.judge('c', position) !== 'new') continue;
            taken.push(offset);
            positions.advance('c', position);
            next = offset + 1;
          }
        }
        expect(taken).toEqual(Array.from({ length: next }, (_, offset) => offset));
      }),
    );
  });

  it('adopt a numbering that starts again later in time', () => {
    const positions = new Positions();
    positions.advance('c', at(100, 1_000));
    expect(positions.judge('c', at(0, 1_000))).toBe('duplicate');
    expect(positions.judge('c', at(0, 1_001))).toBe('renumbered');
    positions.advance('c', at(0, 1_001));
    expect(positions.judge('c', at(0, 1_001))).toBe('duplicate');
    expect(positions.judge('c', at(1, 1_001))).toBe('new');
  });

  it('tell sources, topics and partitions apart', () => {
    const positions = new Positions();
    positions.advance('c', at(5, 1));
    expect(positions.judge('d', at(5, 1))).toBe('new');
    expect(positions.judge('c', at(5, 1, 1))).toBe('new');
    expect(positions.judge('c', at(5, 1, 0, 'u'))).toBe('new');
    expect(positions.judge('c', at(5, 1))).toBe('duplicate');
  });

  it('survive being saved', () => {
    const positions = new Positions();
    positions.advance('c', at(5, 10));
    positions.advance('c', at(9, 10, 1));
    const saved = JSON.parse(JSON.stringify(positions.save()));
    expect(new Positions(saved).save()).toEqual(positions.save());
    expect(new Positions(saved).judge('c', at(5, 10))).toBe('duplicate');
  });

  it('are bounded: the longest unused make room', () => {
    const positions = new Positions();
    for (let partition = 0; partition < 2_000; partition++) {
      positions.advance('c', at(1, partition, partition));
    }
    expect(positions.save().length).toBe(1_024);
    expect(positions.judge('c', at(1, 1_999, 1_999))).toBe('duplicate');
  });
});

describe('webhook ids', () => {
  it('are known until a replay of them is stale', () => {
    const ids = new WebhookIds();
    expect(ids.note('a', 100, 0)).toBe('new');
    expect(ids.note('a', 100, 0)).toBe('known');
    expect(ids.save(100)).toEqual([['a', 100]]);
    expect(ids.save(101)).toEqual([]);
  });

  it('are known for as long as the latest attempt stays fresh', () => {
    const ids = new WebhookIds();
    ids.note('a', 100, 0);
    expect(ids.note('a', 300, 50)).toBe('prolonged');
    expect(ids.note('a', 100, 60)).toBe('known');
    expect(new WebhookIds(ids.save(200)).note('a', 300, 200)).toBe('known');
  });

  it('are refused, not forgotten, when too many are fresh', () => {
    const ids = new WebhookIds();
    for (let i = 0; i < MAX_WEBHOOK_IDS; i++) expect(ids.note(String(i), 100, 0)).toBe('new');
    expect(ids.note('more', 100, 0)).toBe('full');
    expect(ids.note('0', 100, 0)).toBe('known');
    expect(ids.note('more', 300, 200)).toBe('new');
  });
});
