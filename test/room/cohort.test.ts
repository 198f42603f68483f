import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Group } from '../../worker/room/delivery/cohort.ts';
import { Member, type Recipient } from '../../worker/room/delivery/member.ts';

function member(): Member {
  const recipient: Recipient = {
    readiness: 'ready',
    welcome: () => true,
    deliver: () => true,
    placeChanged: () => {},
    giveUp: () => {},
    unavailable: () => {},
  };
  return new Member(recipient, undefined, { kind: 'current' });
}

describe('a group', () => {
  it('has one cohort for all members at a cursor', () => {
    const group = new Group(undefined);
    for (const cursor of [3, 3, 5]) group.add(member(), cursor);
    expect(group.cohorts.map(({ cursor, members }) => [cursor, members.size])).toEqual([
      [3, 2],
      [5, 1],
    ]);
  });

  it('has each member once, where it was brought to, whatever is advanced', () => {
    const step = fc.record({
      kind: fc.constantFrom('add', 'remove', 'advance'),
      which: fc.nat(9),
      cursor: fc.nat(6),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 50 }), (steps) => {
        const group = new Group(undefined);
        const stands = new Map<Member, number>();
        for (const { kind, which, cursor } of steps) {
          const cohort = group.cohorts[which % Math.max(1, group.cohorts.length)];
          const some = [...stands.keys()][which];
          if (kind === 'add') {
            const added = member();
            group.add(added, cursor);
            stands.set(added, cursor);
          } else if (kind === 'remove' && some !== undefined) {
            group.remove(some);
            stands.delete(some);
          } else if (kind === 'advance' && cohort !== undefined) {
            for (const moved of cohort.members) stands.set(moved, cursor);
            const before = group.cohorts;
            group.advance(cohort, cursor);
            // Who goes on through what there was meets nobody twice.
            const met = before.flatMap(({ members }) => [...members]);
            expect(new Set(met).size).toBe(met.length);
          }
          expect(group.size).toBe(stands.size);
          for (const [one, at] of stands) expect(group.cursorOf(one)).toBe(at);
          for (const { cursor: at, members } of group.cohorts) {
            expect(members.size).toBeGreaterThan(0);
            for (const one of members) expect(stands.get(one)).toBe(at);
          }
        }
      }),
      { numRuns: 500 },
    );
  });
});
