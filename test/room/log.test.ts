import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { POLICIES, type Policy } from '../../worker/policy.ts';
import type { Cursor } from '../../worker/protocol/frames.ts';
import { logAt } from '../../worker/room/follow/calls/carried-log.ts';
import { decodeEntries, encodeEntries, newEntry } from '../../worker/room/log/entry.ts';
import { Log } from '../../worker/room/log/log.ts';
import { resumeFrom } from '../../worker/room/log/resume.ts';

const NEW = { epoch: 7, head: 0, floor: 0, trimmed: 0, entries: [], isUnbroken: true };
const IN_MEMORY = { ...NEW, isUnbroken: false };
const seqs = (entries: readonly { seq: number }[]) => entries.map(({ seq }) => seq);

function policy(retention: Partial<Policy['retention']>, base: Policy = POLICIES.trade): Policy {
  return { ...base, retention: { ...base.retention, ...retention } };
}

function append(log: Log, now: number, fields: { key?: string; expiresAt?: number } = {}) {
  return log.append({ event: '{}', key: fields.key, expiresAt: fields.expiresAt }, now);
}

/** How a reader goes on that stands at `since`, once what has expired is gone. */
function resume(log: Log, since: Cursor | undefined, now: number) {
  log.expire(now);
  return resumeFrom(log, since);
}

describe('a log', () => {
  it('numbers what is appended from 1, without a hole', () => {
    const log = new Log(policy({}), NEW);
    expect([append(log, 1), append(log, 1), append(log, 1)].map(({ text }) => text)).toEqual([
      '{"seq":1,"event":{}}',
      '{"seq":2,"event":{}}',
      '{"seq":3,"event":{}}',
    ]);
    expect(log.head).toBe(3);
  });

  it('keeps no more entries than its policy says, and raises the floor', () => {
    const log = new Log(policy({ entries: 2 }), NEW);
    for (let i = 0; i < 5; i++) append(log, 1);
    expect(seqs(log.entries)).toEqual([4, 5]);
    expect(log.floor).toBe(3);
  });

  it('keeps no more characters than its policy says', () => {
    const log = new Log(policy({ characters: 45 }), NEW);
    for (let i = 0; i < 5; i++) append(log, 1);
    expect(seqs(log.entries)).toEqual([4, 5]);
  });

  it('looks through its tail only when something may have expired, since each reader asks', () => {
    const log = new Log(policy({}), NEW);
    let looks = 0;
    for (const [seq, at] of [50, 20, 90].entries()) {
      const entry = { seq: seq + 1, text: '{}', key: undefined, perishable: true };
      const get = () => {
        looks++;
        return at;
      };
      log.accept(Object.defineProperty(entry, 'expiresAt', { get }) as never, 0);
    }
    const accepted = looks;
    for (let reader = 0; reader < 1_000; reader++) log.expire(19);
    expect(looks).toBe(accepted);
    log.expire(20);
    expect(seqs(log.entries)).toEqual([1, 3]);
    log.expire(50);
    expect(seqs(log.entries)).toEqual([3]);
    log.expire(90);
    expect(seqs(log.entries)).toEqual([]);
  });

  it('drops what is too old', () => {
    const log = new Log(policy({ age: 10 }), NEW);
    append(log, 0);
    append(log, 5);
    append(log, 10);
    expect(seqs(log.entries)).toEqual([2, 3]);
  });

  it('never shows an event past its own expiry, and counts it as missed by nobody', () => {
    const log = new Log(POLICIES.system, NEW);
    append(log, 0, { expiresAt: 1_000_000 });
    append(log, 0, { expiresAt: 10 });
    append(log, 0, { expiresAt: 1_000_000 });
    expect(resume(log, { epoch: 7, seq: 0 }, 11)).toEqual({ kind: 'replay', from: 0 });
    expect(seqs(log.entriesAfter(0, 11))).toEqual([1, 3]);
    expect(seqs(log.snapshot(11))).toEqual([1, 3]);
  });

  it('that is full drops what has expired before what has not', () => {
    const log = new Log(policy({ entries: 2 }, POLICIES.system), NEW);
    append(log, 0, { expiresAt: 1_000_000 });
    append(log, 0, { expiresAt: 10 });
    append(log, 20, { expiresAt: 1_000_000 });
    expect(seqs(log.entries)).toEqual([1, 3]);
    expect(log.floor).toBe(0);
  });

  it('R6: shows a new reader the latest entry of each key, oldest first', () => {
    const log = new Log(POLICIES.price_updates, NEW);
    for (const key of ['A', 'B', 'A', 'C']) append(log, 1, { key });
    expect(resume(log, undefined, 1)).toEqual({ kind: 'snapshot' });
    expect(log.snapshot(1)).toMatchObject([
      { key: 'B', seq: 2 },
      { key: 'A', seq: 3 },
      { key: 'C', seq: 4 },
    ]);
  });

  it('keeps the latest entry of a key however old it is, and of no more keys than its policy says', () => {
    const log = new Log(policy({ keys: 2, age: 1 }, POLICIES.price_updates), NEW);
    for (const [now, key] of ['A', 'B', 'A', 'C'].entries()) append(log, now * 100, { key });
    expect(log.snapshot(1_000_000).map(({ key }) => key)).toEqual(['A', 'C']);
  });

  it('tells a reader of another epoch, or ahead of the head, that its place is gone', () => {
    const log = new Log(policy({}), NEW);
    append(log, 1);
    expect(resume(log, { epoch: 6, seq: 1 }, 1)).toMatchObject({ kind: 'gap', reason: 'epoch' });
    expect(resume(log, { epoch: 7, seq: 2 }, 1)).toMatchObject({ kind: 'gap', reason: 'epoch' });
    expect(resume(log, { epoch: 7, seq: 1 }, 1)).toEqual({ kind: 'replay', from: 1 });
    expect(log.entriesAfter(1, 1)).toEqual([]);
  });

  it('that is durable and whole gives all of it to who received nothing of any epoch (R5)', () => {
    const log = new Log(policy({ entries: 2 }), NEW);
    append(log, 1);
    expect(resume(log, { epoch: 6, seq: 0 }, 1)).toEqual({ kind: 'replay', from: 0 });
    append(log, 1);
    append(log, 1);
    expect(resume(log, { epoch: 6, seq: 0 }, 1)).toMatchObject({ kind: 'gap' });
    const inMemory = new Log(policy({}, POLICIES.price), IN_MEMORY);
    append(inMemory, 1, { key: 'A' });
    expect(resume(inMemory, { epoch: 6, seq: 0 }, 1)).toMatchObject({ reason: 'epoch' });
  });

  it('is bounded in the characters of its latest entries: the stalest make room', () => {
    const log = new Log(policy({ keyCharacters: 45 }, POLICIES.price_updates), NEW);
    for (const key of ['A', 'B', 'C']) append(log, 1, { key });
    expect(log.latest.map(({ key }) => key)).toEqual(['B', 'C']);
  });

  it('never lowers its floor', () => {
    const log = new Log(policy({ entries: 10, age: 10 }), NEW);
    append(log, 0, { expiresAt: 1_000 });
    append(log, 0);
    log.expire(20);
    expect(log.floor).toBe(2);
    for (let i = 0; i < 10; i++) append(log, 20);
    expect(log.floor).toBe(2);
    expect(resume(log, { epoch: 7, seq: 1 }, 20)).toMatchObject({ kind: 'gap' });
  });

  it('gives a reader everything after its cursor or says that it cannot, also when it wakes', () => {
    const step = fc.record({
      wait: fc.nat(6),
      lifetime: fc.option(fc.nat(40)),
      next: fc.constantFrom('go on', 'expire', 'wake'),
    });
    const bounds = fc.integer({ min: 1, max: 20 });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), fc.nat(60), bounds, (steps, seq, entries) => {
        const limits = policy({ entries, age: 20 });
        let log = new Log(limits, NEW);
        const appended: { seq: number; expiresAt: number; perishable: boolean }[] = [];
        let now = 0;
        for (const { wait, lifetime, next } of steps) {
          now += wait;
          const expiresAt = lifetime === null ? undefined : now + lifetime + 1;
          appended.push(append(log, now, expiresAt === undefined ? {} : { expiresAt }));
          if (next === 'expire') log.expire(now);
          // Some of what has expired is still on the disk.
          const kept = appended.filter(({ seq }) => seq > log.trimmed);
          if (next !== 'wake') continue;
          const { epoch, head, floor, trimmed } = log;
          const saved = kept.map((entry) => ({ ...entry, text: '{}', key: undefined }));
          log = new Log(limits, { ...NEW, epoch, head, floor, trimmed, entries: saved });
          log.expire(now);
          expect(seqs(log.entries).length).toBeLessThanOrEqual(entries);
        }
        const decision = resume(log, { epoch: 7, seq }, now);
        const missed = appended.filter((entry) => entry.seq > seq);
        const live = missed.filter(({ expiresAt }) => expiresAt > now);
        if (seq > log.head) {
          expect(decision).toMatchObject({ kind: 'gap', reason: 'epoch' });
        } else if (decision.kind === 'replay') {
          expect(seqs(log.entriesAfter(decision.from, now))).toEqual(seqs(live));
          expect(missed.filter((e) => e.expiresAt <= now && !e.perishable)).toEqual([]);
        } else {
          // It said so: then something was in fact taken by the bounds, or is too old.
          const kept = new Set(seqs(log.entries));
          expect(missed.some((e) => !kept.has(e.seq))).toBe(true);
        }
        // What is left of the log is what has neither expired nor been taken by the bounds.
        expect(seqs(log.entries)).toEqual(
          seqs(appended.filter((e) => e.seq > log.trimmed && e.expiresAt > now)),
        );
      }),
      { numRuns: 1_000 },
    );
  });
});

describe('a log that mirrors another', () => {
  const entryOf = (seq: number, key?: string) =>
    newEntry(seq, '{}', { key, expiresAt: 1_000, perishable: false });

  it('has the numbers that it is given, also when one is left out', () => {
    const log = new Log(policy({}), NEW);
    for (const seq of [3, 4, 7]) log.accept(entryOf(seq), 1);
    expect([log.head, seqs(log.entries)]).toEqual([7, [3, 4, 7]]);
    expect(seqs(log.entriesAfter(4, 1))).toEqual([7]);
    expect(append(log, 1).seq).toBe(8);
  });

  it('refuses an entry that does not follow', () => {
    const log = new Log(policy({}), NEW);
    log.accept(entryOf(3), 1);
    for (const seq of [2, 3]) expect(() => log.accept(entryOf(seq), 1)).toThrow(RangeError);
    expect(seqs(log.entries)).toEqual([3]);
  });

  it('that begins another epoch has nothing of the one before, and tells its readers', () => {
    const log = new Log(policy({}, POLICIES.price_updates), IN_MEMORY);
    log.accept(entryOf(3, 'A'), 1);
    expect(seqs(log.snapshot(1))).toEqual([3]);
    log.refill(logAt({ epoch: 8, seq: 2 }));
    expect([log.epoch, log.head, log.floor, log.trimmed]).toEqual([8, 2, 2, 2]);
    expect([log.entries, log.latest, log.snapshot(1)]).toEqual([[], [], []]);
    expect(resume(log, { epoch: 7, seq: 1 }, 1)).toMatchObject({ kind: 'gap', reason: 'epoch' });
    log.accept(entryOf(3, 'B'), 1);
    expect(log.snapshot(1)).toMatchObject([{ seq: 3, key: 'B' }]);
    expect(() => log.refill(logAt({ epoch: 7, seq: 9 }))).toThrow(RangeError);
  });
});

describe('a snapshot', () => {
  it('is the same array while the state is the same, so that it is encoded once', () => {
    const log = new Log(POLICIES.price_updates, IN_MEMORY);
    append(log, 1, { key: 'A' });
    const before = log.snapshot(1);
    expect(log.snapshot(1_000_000)).toBe(before);
    append(log, 1, { key: 'A' });
    expect(log.snapshot(1)).not.toBe(before);
  });

  it('of a tail is taken anew when one of its entries has expired', () => {
    const log = new Log(POLICIES.system, NEW);
    append(log, 0, { expiresAt: 10 });
    append(log, 0, { expiresAt: 20 });
    expect(log.snapshot(9)).toBe(log.snapshot(0));
    expect(seqs(log.snapshot(10))).toEqual([2]);
    expect(seqs(log.snapshot(20))).toEqual([]);
  });
});

describe('entries', () => {
  it('are read back as they were saved, their JSON unescaped', () => {
    const text = fc.json({ stringUnit: 'binary' });
    const key = fc.option(fc.stringMatching(/^[A-Z.-]{1,9}$/), { nil: undefined });
    const entry = fc.record({
      seq: fc.nat(),
      text,
      key,
      expiresAt: fc.nat(),
      perishable: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(entry), (entries) => {
        const column = encodeEntries(entries);
        expect(decodeEntries(column)).toEqual(entries);
        for (const { text } of entries) expect(column).toContain(text);
      }),
    );
  });
});
