import { describe, expect, it } from 'vitest';
import { POLICIES } from '../../worker/policy.ts';
import { Channel } from '../../worker/room/channel.ts';
import { Budget } from '../../worker/room/delivery/budget.ts';
import { Laggards } from '../../worker/room/delivery/laggards.ts';
import { Losses } from '../../worker/room/delivery/losses.ts';
import { Member, type Membership, type Recipient } from '../../worker/room/delivery/member.ts';
import { Pace } from '../../worker/room/delivery/pace.ts';
import type { Slice } from '../../worker/room/delivery/slice.ts';
import { logAt } from '../../worker/room/follow/calls/carried-log.ts';
import { newEntry } from '../../worker/room/log/entry.ts';
import { Log } from '../../worker/room/log/log.ts';

/** A recipient that notes what it is given: a session's subscription is one, a follower another. */
class Notes implements Recipient {
  readiness: Recipient['readiness'] = 'ready';
  readonly welcomed: Membership[] = [];
  readonly given: Slice[] = [];

  welcome(membership: Membership): boolean {
    this.welcomed.push(membership);
    return true;
  }

  deliver(slice: Slice): boolean {
    this.given.push(slice);
    return true;
  }

  placeChanged(): void {}

  unavailable(_now: number): void {
    throw new Error('the log is here');
  }

  giveUp(): void {}
}

function mirrorOf(policy = POLICIES.price_updates, joining = new Budget(1_000_000, 1)) {
  const losses = new Losses();
  const laggards = new Laggards(losses, joining);
  const saved = { epoch: 7, head: 4, floor: 4, trimmed: 4, entries: [], isUnbroken: false };
  const log = new Log(policy, saved);
  const channel = new Channel('r', log, policy, { pace: new Pace(), laggards, losses });
  const accept = (seq: number, key: string, now: number) => {
    const entry = newEntry(seq, '{}', { key, expiresAt: 1_000_000, perishable: false });
    log.accept(entry, now);
    channel.appended([entry], ['high'], now);
    channel.run(now);
  };
  const join = (now: number) => {
    const notes = new Notes();
    const member = new Member(notes, undefined, { kind: 'waiting', since: undefined });
    channel.join(member, now);
    return { notes, member };
  };
  return { channel, log, laggards, accept, join };
}

describe('a channel whose log is a mirror', () => {
  it('delivers entries to its members with the numbers that it accepts', () => {
    const { accept, join } = mirrorOf();
    const { notes } = join(0);
    expect(notes.welcomed).toEqual([{ epoch: 7, head: 4, from: 4, recovered: false }]);
    accept(5, 'A', 0);
    accept(8, 'B', 200);
    expect(notes.given.slice(1)).toMatchObject([
      { after: 4, cursor: 5 },
      { after: 5, cursor: 8, entries: [{ seq: 8 }] },
    ]);
  });

  it('tells every member of a new epoch by a gap, and goes on in it', () => {
    const { channel, laggards, accept, join } = mirrorOf();
    const [keepsUp, lags] = [join(0), join(0)];
    lags.notes.readiness = 'full';
    accept(5, 'A', 0);
    channel.refill(logAt({ epoch: 9, seq: 2 }), 100);
    accept(3, 'C', 110);
    lags.notes.readiness = 'ready';
    laggards.run(120);
    expect(keepsUp.notes.given.at(-1)).toMatchObject({
      kind: 'state',
      epoch: 9,
      cursor: 3,
      gap: { from: 5, reason: 'epoch' },
      entries: [{ key: 'C' }],
    });
    expect(lags.notes.given.at(-1)).toMatchObject({ gap: { from: 4, reason: 'epoch' }, cursor: 3 });
    accept(4, 'D', 400);
    for (const { notes } of [keepsUp, lags]) {
      expect(notes.given.at(-1)).toMatchObject({ kind: 'events', after: 3, cursor: 4 });
    }
  });
});

describe('what comes to its age on its way to a mirror', () => {
  it('is missed by its members, who are told so', () => {
    const { channel, log, laggards, join } = mirrorOf(POLICIES.trade);
    const { notes } = join(0);
    const entry = newEntry(5, '{}', { key: undefined, expiresAt: 1_000, perishable: false });
    log.accept(entry, 900);
    channel.appended([entry], ['low'], 900);
    channel.run(1_200);
    laggards.run(1_300);
    expect(notes.given.slice(1)).toMatchObject([
      { kind: 'state', cursor: 5, gap: { from: 4, reason: 'trimmed' }, entries: [] },
    ]);
  });
});

describe('joining', () => {
  it('waits when the object has sent as much state as it may, and comes in its turn', () => {
    const { accept, laggards, join } = mirrorOf(POLICIES.price_updates, new Budget(30, 0.1));
    accept(5, 'A', 0);
    const [first, second] = [join(0), join(0)];
    expect(first.notes.given.length).toBe(1);
    const third = join(0);
    expect([second, third].map(({ notes }) => notes.welcomed.length)).toEqual([1, 0]);
    expect(third.member.state.kind).toBe('waiting');
    for (let now = 10; third.notes.welcomed.length === 0 && now < 1_000; now += 10) {
      laggards.run(now);
    }
    expect(third.notes.given).toMatchObject([{ kind: 'state', cursor: 5 }]);
    expect(third.member.state.kind).toBe('current');
    expect(laggards.dueAt).toBe(Number.POSITIVE_INFINITY);
  });
});
