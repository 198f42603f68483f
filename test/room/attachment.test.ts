import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MAX_RATES } from '../../worker/protocol/messages.ts';
import { Space } from '../../worker/room/session/admission/space.ts';
import {
  type Attachment,
  decodeAttachment,
  encodeAttachment,
} from '../../worker/room/session/attachment.ts';
import { RELAY_SOCKET } from '../../worker/room/session/profile.ts';

/** Any number that the protocol allows. */
const whole = fc.oneof(fc.nat(), fc.constant(Number.MAX_SAFE_INTEGER));
const name = fc.string({ minLength: 1, maxLength: 40, unit: 'grapheme' });
const subscription = fc
  .record({ room: name, rate: fc.constantFrom(undefined, ...MAX_RATES) })
  .chain(({ room, rate: maxRate }) =>
    fc.oneof(
      fc.record({ epoch: whole, cursor: fc.option(whole, { nil: undefined }) }).map((place) => ({
        room,
        maxRate,
        joins: false,
        since: undefined,
        id: undefined,
        ...place,
      })),
      fc.option(fc.record({ epoch: whole, seq: whole }), { nil: undefined }).map((since) => ({
        room,
        maxRate,
        joins: true,
        since,
        id: 'request',
        epoch: 0,
        cursor: undefined,
      })),
    ),
  );
const attachment: fc.Arbitrary<Attachment> = fc.record({
  epoch: whole,
  user: fc.option(name, { nil: undefined }),
  tokenExpiresAt: fc.option(whole, { nil: undefined }),
  rooms: fc.array(name, { maxLength: 5 }),
  home: fc.option(name, { nil: undefined }),
  address: fc.option(name, { nil: undefined }),
  acks: fc.boolean(),
  isTraced: fc.boolean(),
  subscriptions: fc.array(subscription, { maxLength: 30 }),
  inFlight: fc.constant(undefined),
});

describe('an attachment', () => {
  it('is read as it was written', () => {
    fc.assert(
      fc.property(attachment, (written) => {
        expect(decodeAttachment(encodeAttachment(written))).toEqual(written);
      }),
    );
  });

  it('is never larger than what rooms are admitted against', () => {
    fc.assert(
      fc.property(attachment, whole, (written, upTo) => {
        const { user, rooms, home, address, subscriptions } = written;
        const names = subscriptions.map(({ room }) => room);
        fc.pre(names.length > 0);
        const inFlight = Array.from({ length: 17 }, (_, index) => {
          const room = names[index % names.length] ?? '';
          return [room, upTo, upTo] as const;
        });
        // Ids are left out of an attachment that would be too large with them.
        const withoutIds = subscriptions.map((saved) => ({ ...saved, id: undefined }));
        const text = encodeAttachment({ ...written, subscriptions: withoutIds, inFlight });
        // biome-ignore lint/suspicious/noControlCharactersInRegex: these need one byte each.
        const bytes = /^[\u0000-\u00ff]*$/.test(text) ? text.length : 2 * text.length;
        const identity = { user, tokenExpiresAt: undefined, rooms };
        const space = new Space({
          identity,
          home,
          address,
          profile: RELAY_SOCKET,
          subscriptions: new Map(),
        });
        for (const name of names) space.take(name);
        expect(space.bytes).toBeGreaterThanOrEqual(bytes);
      }),
    );
  });
});
