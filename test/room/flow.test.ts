import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { awaitsAck, canTake, MAX_BUFFERED_BYTES } from '../../worker/room/delivery/flow.ts';
import { Member, type Socket } from '../../worker/room/delivery/member.ts';
import { InFlight, WINDOW_CHARACTERS } from '../../worker/room/session/in-flight.ts';

function memberWith(socket: Pick<Socket, 'bufferedAmount'> = {}): Member {
  const silent = { send: () => {}, close: () => {}, serializeAttachment: () => {} };
  const nobody = { user: undefined, tokenExpiresAt: undefined, maxRate: undefined };
  return new Member({ ...silent, ...socket }, nobody);
}

describe('a member', () => {
  it('of which nothing is known can take more', () => {
    const member = memberWith();
    member.inFlight.send(1, 10 * WINDOW_CHARACTERS);
    expect(canTake(member)).toBe(true);
  });

  it('that acks can take more while its window is not full', () => {
    const member = memberWith();
    member.acks = true;
    member.inFlight.send(1, WINDOW_CHARACTERS - 1);
    expect(canTake(member)).toBe(true);
    member.inFlight.send(2, 1);
    expect([canTake(member), awaitsAck(member)]).toEqual([false, true]);
  });

  it('whose buffer is full cannot, and no ack changes that', () => {
    const member = memberWith({ bufferedAmount: MAX_BUFFERED_BYTES });
    expect([canTake(member), awaitsAck(member)]).toEqual([false, false]);
    expect(canTake(memberWith({ bufferedAmount: MAX_BUFFERED_BYTES - 1 }))).toBe(true);
  });
});

describe('what is in flight', () => {
  const sizes = fc.array(fc.integer({ min: 1, max: WINDOW_CHARACTERS / 2 }), { maxLength: 60 });

  it('is told by a few numbers, never as less than it is, and by little as more', () => {
    fc.assert(
      fc.property(sizes, fc.nat(60), (frames, acked) => {
        const inFlight = new InFlight();
        for (const [index, size] of frames.entries()) inFlight.send(index + 1, size);
        const total = inFlight.characters;
        expect(inFlight.save().length).toBeLessThanOrEqual((16 * total) / WINDOW_CHARACTERS + 1);
        inFlight.acknowledge(acked);
        const truth = frames.slice(acked).reduce((sum, size) => sum + size, 0);
        expect(inFlight.characters).toBeGreaterThanOrEqual(truth);
        // So a client that acks after each half window never waits for one that does not come.
        if (truth > 0) expect(inFlight.characters).toBeLessThan(truth + WINDOW_CHARACTERS / 16);
        else expect(inFlight.characters).toBe(0);
        expect(new InFlight(inFlight.save()).characters).toBe(inFlight.characters);
      }),
    );
  });
});
