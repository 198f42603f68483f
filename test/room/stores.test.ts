/**
 * One contract for both stores, on a table in memory that can be left at any moment, as in a crash;
 * then what each of them promises beyond it.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { POLICIES } from '../../worker/policy.ts';
import { Intake } from '../../worker/room/intake/intake.ts';
import type { Chunks } from '../../worker/room/store/chunks.ts';
import { DurableStore } from '../../worker/room/store/durable-store.ts';
import { IDLE_TIME, MemoryStore } from '../../worker/room/store/memory-store.ts';
import type { Store } from '../../worker/room/store/store.ts';
import { Disk } from '../simulation/disk.ts';
import { kafkaBatch, webhookBatch } from '../support/room-batch.ts';
import { VirtualClock } from '../support/virtual-clock.ts';

/** Runs stores when they are due, as the room's scheduler does. */
class StoreRunner {
  readonly #clock = new VirtualClock(1_000_000);
  readonly #stores: Store[] = [];

  now = this.#clock.now;

  /** From now on, the store is run when it is due. */
  keep<Kept extends Store>(store: Kept): Kept {
    this.#stores.push(store);
    return store;
  }

  /** How many stores have something to do. */
  get pending(): number {
    return this.#stores.filter(({ dueAt }) => dueAt !== Number.POSITIVE_INFINITY).length;
  }

  advance(ms: number): void {
    this.#clock.advance(ms);
    for (const store of this.#stores) if (store.dueAt <= this.now()) store.run(this.now());
  }
}

/** Appends `count` records to a store's log, from `offset` on, as a room does. */
function append(
  store: Store,
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
  const { entries } = intake.append(kafkaBatch('c', records), now);
  if (entries.length > 0) store.appended(now);
  return entries.length;
}

const contentOf = ({ state: { log, positions } }: Store) => ({
  epoch: log.epoch,
  head: log.head,
  floor: log.floor,
  // Their times are kept in memory only.
  entries: log.entries.map(({ kafkaAt: _, batchTimes: __, ...kept }) => kept),
  positions: positions.save(),
});
const latest = ({ state }: Store) => state.log.latest.map(({ text }) => text);

const openDurable = (table: Chunks, now: number, alarms: number[] = []) =>
  new DurableStore(POLICIES.trade, table, (at) => alarms.push(at), undefined, now);
const openMemory = (table: Chunks, now: number) =>
  new MemoryStore(POLICIES.price_updates, table, undefined, now);

describe.each([
  ['durable', openDurable],
  ['memory', openMemory],
])('a %s store', (_kind, open) => {
  const NOW = 1_000_000;
  /** Long enough for the store to have nothing to do any more. */
  const rest = (store: Store) => {
    const later = NOW + IDLE_TIME;
    if (store.dueAt <= later) store.run(later);
    expect(store.dueAt).toBe(Number.POSITIVE_INFINITY);
  };

  it('writes nothing before the first append', () => {
    const disk = new Disk();
    const store = open(disk, NOW);
    expect([disk.turnWrites, store.state.log.head, store.dueAt]).toEqual([
      0,
      0,
      Number.POSITIVE_INFINITY,
    ]);
  });

  it('writes one row for an append at the most', () => {
    const disk = new Disk();
    const store = open(disk, NOW);
    for (let offset = 0; offset < 200; offset += 10) {
      disk.begin();
      append(store, offset, 10, NOW, 'x'.repeat(300));
      expect(disk.turnWrites).toBeLessThanOrEqual(1);
    }
  });

  it('once it has nothing to do, is the same after a wake: epoch, head, positions and state', () => {
    const disk = new Disk();
    const store = open(disk, NOW);
    append(store, 0, 5, NOW);
    rest(store);
    const again = open(disk, NOW + 1);
    expect(again.state.log.epoch).toBe(store.state.log.epoch);
    expect(again.state.log.head).toBe(5);
    expect(again.state.positions.save()).toEqual(store.state.positions.save());
    expect(latest(again)).toEqual(latest(store));
    expect(append(again, 0, 5, NOW + 1)).toBe(0);
    expect(append(again, 5, 1, NOW + 1)).toBe(1);
  });

  it('never takes up an epoch that an earlier life went beyond, and loses nothing in silence', () => {
    const step = fc.record({
      count: fc.integer({ min: 1, max: 5 }),
      next: fc.constantFrom('go on', 'rest', 'crash', 'rest and crash'),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        const disk = new Disk();
        let store = open(disk, NOW);
        let offset = 0;
        for (const { count, next } of steps) {
          append(store, offset, count, NOW);
          offset += count;
          if (next.includes('rest')) rest(store);
          if (!next.includes('crash')) continue;
          const { epoch, head } = store.state.log;
          store = open(disk, NOW);
          expect(store.state.log.epoch).toBeGreaterThanOrEqual(epoch);
          if (store.state.log.head < head) expect(store.state.log.epoch).toBeGreaterThan(epoch);
          offset = store.state.log.head;
        }
      }),
      { numRuns: 200 },
    );
  });

  it('starts with the epoch that its hibernating members were told, if it has none of its own', () => {
    const disk = new Disk();
    const told =
      open === openDurable
        ? new DurableStore(POLICIES.trade, disk, () => {}, 77, NOW)
        : new MemoryStore(POLICIES.price_updates, disk, 77, NOW);
    expect(told.state.log.epoch).toBe(77);
  });

  it('remembers webhook ids over a wake', () => {
    const disk = new Disk();
    const post = (into: Store) => {
      const { log, positions, webhookIds } = into.state;
      const record = { index: 0, event: '{}', key: 'A', expiresAt: undefined } as const;
      const records = [{ ...record, priority: 'high' as const }];
      const batch = webhookBatch({ webhookId: 'id', staleAt: 2 * NOW }, records);
      const { changed, entries } = new Intake(log, positions, webhookIds).append(batch, NOW);
      if (changed) into.appended(NOW);
      return entries.length;
    };
    const store = open(disk, NOW);
    expect([post(store), post(store)]).toEqual([1, 0]);
    rest(store);
    expect(post(open(disk, NOW + 1))).toBe(0);
  });
});

describe('a durable store, beyond the contract,', () => {
  const open = openDurable;

  it('is the same after a crash at any moment, whatever was appended', () => {
    const size = fc.record({ count: fc.integer({ min: 1, max: 40 }), text: fc.nat(3_000) });
    fc.assert(
      fc.property(fc.array(size, { maxLength: 60 }), (appends) => {
        const table = new Disk();
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
        expect(table.turnWrites).toBe(appends.length);
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
        const table = new Disk();
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
    const store = new DurableStore(POLICIES.user, new Disk(), (at) => alarms.push(at), 1, 0);
    append(store, 0, 1, 0, 'x', 300 * 24 * HOUR);
    append(store, 1, 1, 0, 'x', Number.MAX_SAFE_INTEGER);
    append(store, 2, 1, 0);
    append(store, 3, 1, 0, 'x', 1);
    append(store, 4, 1, 1);
    expect(alarms).toEqual([300 * 24 * HOUR, 24 * HOUR, HOUR]);
  });

  it('remembers a webhook id that it saw again, though nothing was appended', () => {
    const table = new Disk();
    const store = open(table, 1);
    const post = (into: Store, staleAt: number) => {
      const { log, positions, webhookIds } = into.state;
      const batch = { kind: 'webhook', webhookId: 'id', staleAt, records: [] } as const;
      const { answer, changed } = new Intake(log, positions, webhookIds).append(batch, 1);
      if (changed) into.appended(1);
      return [answer.kind, changed];
    };
    append(store, 0, 40, 1, 'x'.repeat(500));
    expect(post(store, 100)).toEqual(['taken', true]);
    expect(post(store, 200)).toEqual(['taken', true]);
    // Two chunks of one head could not be told apart.
    expect(table.size).toBe(1);
    expect(post(open(table, 1), 200)).toEqual(['taken', false]);
    expect(open(table, 1).state.log.entries.length).toBe(40);
  });

  it('reuses slots for ever', () => {
    const table = new Disk();
    const store = open(table, 1);
    for (let offset = 0; offset < 20_000; offset++) append(store, offset, 1, 1, 'x'.repeat(200));
    expect(store.state.log.entries.length).toBe(1_000);
    expect(table.size).toBeLessThan(25);
  });

  it('sets one alarm, an hour ahead at the least, and sweeps then', () => {
    const table = new Disk();
    const alarms: number[] = [];
    const store = open(table, 0, alarms);
    for (let offset = 0; offset < 200; offset++) append(store, offset, 1, 10, 'x'.repeat(500));
    expect(alarms).toEqual([3_600_010]);
    expect(table.size).toBeGreaterThan(3);
    store.sweep(3_600_010);
    expect(table.size).toBe(1);
    expect(alarms.length).toBe(1);
    const again = open(table, 3_600_011);
    expect(again.state.log.head).toBe(200);
    expect(append(again, 100, 100, 3_600_011)).toBe(0);
    expect(append(again, 200, 1, 3_600_011)).toBe(1);
    expect(again.state.log.entries).toMatchObject([{ seq: 201 }]);
  });
});

describe('a memory store, beyond the contract,', () => {
  const open = (table: Chunks, clock: StoreRunner) => clock.keep(openMemory(table, clock.now()));

  it('is saved three seconds after the last append, with one timer at a time', () => {
    const table = new Disk();
    const clock = new StoreRunner();
    const store = open(table, clock);
    append(store, 0, 2, clock.now());
    expect(table.turnWrites).toBe(1);
    clock.advance(IDLE_TIME - 1);
    append(store, 2, 2, clock.now());
    expect(clock.pending).toBe(1);
    clock.advance(1);
    expect(table.turnWrites).toBe(1);
    clock.advance(IDLE_TIME - 1);
    expect(table.turnWrites).toBe(3);
    expect(clock.pending).toBe(0);
    const again = open(table, clock);
    expect(again.state.log.epoch).toBe(store.state.log.epoch);
    expect(again.state.log.head).toBe(4);
    expect(latest(again)).toEqual(latest(store));
    expect(append(again, 0, 4, clock.now())).toBe(0);
  });

  it('that wakes dirty starts a greater epoch from what was saved, every time', () => {
    const table = new Disk();
    const clock = new StoreRunner();
    const store = open(table, clock);
    append(store, 0, 3, clock.now());
    clock.advance(IDLE_TIME);
    append(store, 3, 3, clock.now());
    const lost = open(table, clock);
    expect(lost.state.log.epoch).toBeGreaterThan(store.state.log.epoch);
    expect(lost.state.log.head).toBe(3);
    expect(latest(lost).length).toBe(3);
    // The records that were lost are new again.
    expect(append(lost, 0, 6, clock.now())).toBe(3);
    const lostAgain = open(table, clock);
    expect(lostAgain.state.log.epoch).toBeGreaterThan(lost.state.log.epoch);
    clock.advance(1);
    const quiet = open(table, clock);
    expect(quiet.state.log.epoch).toBe(lostAgain.state.log.epoch);
  });

  it('shows no key as it was before it was forgotten', () => {
    const table = new Disk();
    const clock = new StoreRunner();
    const { price_updates } = POLICIES;
    const policy = {
      ...price_updates,
      retention: { ...price_updates.retention, keyCharacters: 200 },
    };
    const reopen = () => clock.keep(new MemoryStore(policy, table, undefined, clock.now()));
    const store = reopen();
    append(store, 0, 1, clock.now());
    clock.advance(IDLE_TIME);
    // Too large to be kept, and newer.
    append(store, 3, 1, clock.now(), 'x'.repeat(300));
    clock.advance(IDLE_TIME);
    expect(latest(reopen())).toEqual([]);
    expect(reopen().state.log.conflatableFrom).toBe(2);
  });

  it('saves a price table larger than a row', () => {
    const table = new Disk();
    const clock = new StoreRunner();
    const store = open(table, clock);
    append(store, 0, 3, clock.now(), 'x'.repeat(200_000));
    clock.advance(IDLE_TIME);
    expect(table.size).toBe(3);
    expect(latest(open(table, clock))).toEqual(latest(store));
    append(store, 3, 3, clock.now(), 'small');
    clock.advance(IDLE_TIME);
    expect(latest(open(table, clock))).toEqual(latest(store));
  });
});
