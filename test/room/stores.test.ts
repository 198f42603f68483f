/** Both stores against a table in memory that can be left at any moment, as in a crash. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { POLICIES } from '../../worker/policy.ts';
import { Intake } from '../../worker/room/intake/intake.ts';
import type { Chunk, Chunks } from '../../worker/room/store/chunks.ts';
import { DurableStore } from '../../worker/room/store/durable-store.ts';
import type { LogStore } from '../../worker/room/store/log-store.ts';
import { IDLE_TIME, MemoryStore } from '../../worker/room/store/memory-store.ts';

class TableInMemory implements Chunks {
  readonly rows = new Map<number, Chunk>();
  writes = 0;

  read(): Chunk[] {
    return [...this.rows.values()].sort((a, b) => a.last - b.last || a.slot - b.slot);
  }

  put(chunk: Chunk): void {
    this.writes++;
    this.rows.set(chunk.slot, chunk);
  }

  remove(slot: number): void {
    this.writes++;
    this.rows.delete(slot);
  }
}

/** A clock whose timers go off when it is advanced. */
class Clock {
  time = 1_000_000;
  #timers: { at: number; callback: () => void }[] = [];

  readonly now = () => this.time;
  readonly setTimeout = (callback: () => void, ms: number) => {
    this.#timers.push({ at: this.time + ms, callback });
  };

  get pending(): number {
    return this.#timers.length;
  }

  advance(ms: number): void {
    this.time += ms;
    const due = this.#timers.filter(({ at }) => at <= this.time);
    this.#timers = this.#timers.filter(({ at }) => at > this.time);
    for (const { callback } of due) callback();
  }
}

/** Appends `count` records to a store's log, from `offset` on, as a room does. */
function append(
  store: LogStore,
  offset: number,
  count: number,
  now: number,
  text = 'x',
  expiresAt?: number,
): number {
  const { log, positions, webhookIds } = store.state;
  const records = Array.from({ length: count }, (_, index) => ({
    index,
    event: JSON.stringify({ offset: offset + index, text }),
    key: `K${(offset + index) % 3}`,
    expiresAt,
    priority: 'medium' as const,
    position: { topic: 't', partition: 0, offset: offset + index, timestamp: 5 },
  }));
  const intake = new Intake(log, positions, webhookIds);
  const { entries } = intake.take({ kind: 'kafka', source: 'c', records }, now);
  if (entries.length > 0) store.appended(now);
  return entries.length;
}

const contentOf = ({ state: { log, positions } }: LogStore) => ({
  epoch: log.epoch,
  head: log.head,
  floor: log.floor,
  entries: log.entries,
  positions: positions.save(),
});

describe('a durable store', () => {
  const open = (table: Chunks, now: number, alarms: number[] = []) =>
    new DurableStore(POLICIES.trade, table, (at) => alarms.push(at), undefined, now);

  it('is the same after a crash at any moment, whatever was appended', () => {
    const size = fc.record({ count: fc.integer({ min: 1, max: 40 }), text: fc.nat(3_000) });
    fc.assert(
      fc.property(fc.array(size, { maxLength: 60 }), (appends) => {
        const table = new TableInMemory();
        let store = open(table, 1);
        let offset = 0;
        for (const { count, text } of appends) {
          append(store, offset, count, 1, 'x'.repeat(text));
          offset += count;
          const before = contentOf(store);
          store = open(table, 1);
          expect(contentOf(store)).toEqual(before);
          expect(append(store, Math.max(0, offset - 3), Math.min(3, offset), 1)).toBe(0);
        }
        expect(table.writes).toBe(appends.length);
      }),
      { numRuns: 50 },
    );
  });

  it('is the same after a crash, a sweep or both, whatever has expired meanwhile', () => {
    const step = fc.record({
      wait: fc.nat(4 * 3_600_000),
      count: fc.integer({ min: 1, max: 30 }),
      text: fc.nat(2_000),
      lifetime: fc.option(fc.integer({ min: 1, max: 40 * 3_600_000 })),
      next: fc.constantFrom('go on', 'crash', 'sweep', 'sweep and crash'),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const table = new TableInMemory();
        let now = 1;
        let store = new DurableStore(POLICIES.user, table, () => {}, undefined, now);
        let offset = 0;
        for (const { wait, count, text, lifetime, next } of steps) {
          now += wait;
          const expiresAt = lifetime === null ? undefined : now + lifetime;
          append(store, offset, count, now, 'x'.repeat(text), expiresAt);
          offset += count;
          store.state.log.expire(now);
          const before = contentOf(store);
          if (next.includes('sweep')) store.sweep(now);
          if (next.includes('crash')) {
            store = new DurableStore(POLICIES.user, table, () => {}, undefined, now);
          }
          expect(contentOf(store)).toEqual(before);
        }
      }),
      { numRuns: 100 },
    );
  });

  it('sets its alarm at the oldest expiry, also when that comes to be earlier', () => {
    const HOUR = 3_600_000;
    const alarms: number[] = [];
    const store = new DurableStore(
      POLICIES.user,
      new TableInMemory(),
      (at) => alarms.push(at),
      1,
      0,
    );
    append(store, 0, 1, 0, 'x', 300 * 24 * HOUR);
    append(store, 1, 1, 0, 'x', Number.MAX_SAFE_INTEGER);
    append(store, 2, 1, 0);
    append(store, 3, 1, 0, 'x', 1);
    append(store, 4, 1, 1);
    expect(alarms).toEqual([300 * 24 * HOUR, 24 * HOUR, HOUR]);
  });

  it('remembers a webhook id that it saw again, though nothing was appended', () => {
    const table = new TableInMemory();
    const store = open(table, 1);
    const take = (into: LogStore, staleAt: number) => {
      const { log, positions, webhookIds } = into.state;
      const batch = { kind: 'webhook', webhookId: 'id', staleAt, records: [] } as const;
      const { answer, changed } = new Intake(log, positions, webhookIds).take(batch, 1);
      if (changed) into.appended(1);
      return [answer.kind, changed];
    };
    append(store, 0, 40, 1, 'x'.repeat(500));
    expect(take(store, 100)).toEqual(['taken', true]);
    expect(take(store, 200)).toEqual(['taken', true]);
    // Two chunks of one head could not be told apart.
    expect(table.rows.size).toBe(1);
    expect(take(open(table, 1), 200)).toEqual(['taken', false]);
    expect(open(table, 1).state.log.entries.length).toBe(40);
  });

  it('reuses slots for ever', () => {
    const table = new TableInMemory();
    const store = open(table, 1);
    for (let offset = 0; offset < 20_000; offset++) append(store, offset, 1, 1, 'x'.repeat(200));
    expect(store.state.log.entries.length).toBe(1_000);
    expect(table.rows.size).toBeLessThan(25);
  });

  it('sets one alarm, an hour ahead at the least, and sweeps then', () => {
    const table = new TableInMemory();
    const alarms: number[] = [];
    const store = open(table, 0, alarms);
    for (let offset = 0; offset < 200; offset++) append(store, offset, 1, 10, 'x'.repeat(500));
    expect(alarms).toEqual([3_600_010]);
    expect(table.rows.size).toBeGreaterThan(3);
    store.sweep(3_600_010);
    expect(table.rows.size).toBe(1);
    expect(alarms.length).toBe(1);
    const again = open(table, 3_600_011);
    expect(again.state.log.head).toBe(200);
    expect(append(again, 100, 100, 3_600_011)).toBe(0);
    expect(append(again, 200, 1, 3_600_011)).toBe(1);
    expect(again.state.log.entries).toMatchObject([{ seq: 201 }]);
  });
});

describe('a memory store', () => {
  const open = (table: Chunks, clock: Clock) =>
    new MemoryStore(POLICIES.price_updates, table, undefined, clock);
  const latest = ({ state }: LogStore) => state.log.latest.map(({ text }) => text);

  it('is saved three seconds after the last append, with one timer at a time', () => {
    const table = new TableInMemory();
    const clock = new Clock();
    const store = open(table, clock);
    append(store, 0, 2, clock.time);
    expect(table.writes).toBe(1);
    clock.advance(IDLE_TIME - 1);
    append(store, 2, 2, clock.time);
    expect(clock.pending).toBe(1);
    clock.advance(1);
    expect(table.writes).toBe(1);
    clock.advance(IDLE_TIME - 1);
    expect(table.writes).toBe(3);
    expect(clock.pending).toBe(0);
    const again = open(table, clock);
    expect(again.state.log.epoch).toBe(store.state.log.epoch);
    expect(again.state.log.head).toBe(4);
    expect(latest(again)).toEqual(latest(store));
    expect(append(again, 0, 4, clock.time)).toBe(0);
  });

  it('that wakes dirty starts a greater epoch from what was saved, every time', () => {
    const table = new TableInMemory();
    const clock = new Clock();
    const store = open(table, clock);
    append(store, 0, 3, clock.time);
    clock.advance(IDLE_TIME);
    append(store, 3, 3, clock.time);
    const lost = open(table, clock);
    expect(lost.state.log.epoch).toBeGreaterThan(store.state.log.epoch);
    expect(lost.state.log.head).toBe(3);
    expect(latest(lost).length).toBe(3);
    // The records that were lost are new again.
    expect(append(lost, 0, 6, clock.time)).toBe(3);
    const lostAgain = open(table, clock);
    expect(lostAgain.state.log.epoch).toBeGreaterThan(lost.state.log.epoch);
    clock.advance(1);
    const quiet = open(table, clock);
    expect(quiet.state.log.epoch).toBe(lostAgain.state.log.epoch);
  });

  it('shows no key as it was before it was forgotten', () => {
    const table = new TableInMemory();
    const clock = new Clock();
    const { price_updates } = POLICIES;
    const policy = {
      ...price_updates,
      retention: { ...price_updates.retention, keyCharacters: 200 },
    };
    const reopen = () => new MemoryStore(policy, table, undefined, clock);
    const store = reopen();
    append(store, 0, 1, clock.time);
    clock.advance(IDLE_TIME);
    // Too large to be kept, and newer.
    append(store, 3, 1, clock.time, 'x'.repeat(300));
    clock.advance(IDLE_TIME);
    expect(latest(reopen())).toEqual([]);
    expect(reopen().state.log.conflatableFrom).toBe(2);
  });

  it('saves a price table larger than a row', () => {
    const table = new TableInMemory();
    const clock = new Clock();
    const store = open(table, clock);
    append(store, 0, 3, clock.time, 'x'.repeat(200_000));
    clock.advance(IDLE_TIME);
    expect(table.rows.size).toBe(3);
    expect(latest(open(table, clock))).toEqual(latest(store));
    append(store, 3, 3, clock.time, 'small');
    clock.advance(IDLE_TIME);
    expect(latest(open(table, clock))).toEqual(latest(store));
  });
});
