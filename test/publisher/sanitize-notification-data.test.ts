import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PublishError } from '../../bridge/publisher/errors.ts';
import { encodeEvent } from '../../bridge/publisher/outbox/encode-event.ts';
import { sanitizeNotificationData } from '../../bridge/publisher/sanitize-notification-data.ts';
import { nested } from './hostile-events.ts';

/** The code that `data` is refused by. */
function refusal(data: object): string {
  try {
    sanitizeNotificationData(data);
  } catch (error) {
    if (error instanceof PublishError) return error.code;
    throw error;
  }
  return 'none';
}

describe('what is changed', () => {
  test('keys that would reach a prototype are dropped, also when control characters hide them', () => {
    const data = JSON.parse(
      '{"a":{"__proto__":{"x":1},"constructor":1,"b":2},"prototype":3,"__pro\\u0000to__":4,"c":5}',
    );
    expect(sanitizeNotificationData(data)).toEqual({ a: { b: 2 }, c: 5 });
  });

  test('control characters go from strings and keys, tab and line feed stay', () => {
    const data = { 'k\u0007ey': 'a\u0000b\u001b[31m\u007f\u0085c\td\ne\r' };
    expect(sanitizeNotificationData(data)).toEqual({ key: 'ab[31mc\td\ne' });
  });

  test('what JSON has no word for becomes one, or is dropped', () => {
    class Money {
      readonly value = 5;
      toJSON(): string {
        return `${this.value} €`;
      }
    }
    const data = {
      big: 10n ** 20n,
      at: new Date(0),
      money: new Money(),
      boxed: [Object('text'), Object(1), Object(true), Object(2n)],
      none: undefined,
      call: () => 1,
      sign: Symbol('s'),
      list: [1, undefined, () => 1, null],
      holes: new Array(2),
    };
    expect(sanitizeNotificationData(data)).toEqual({
      big: '100000000000000000000',
      at: '1970-01-01T00:00:00.000Z',
      money: '5 €',
      boxed: ['text', 1, true, '2'],
      list: [1, null, null, null],
      holes: [null, null],
    });
  });

  test('what is shared without a cycle is copied each time, and the input stays as it was', () => {
    const shared = { text: 'a\u0000' };
    const data = Object.freeze({ one: shared, two: [shared, shared] });
    const copy = sanitizeNotificationData(data);
    expect(copy).toEqual({ one: { text: 'a' }, two: [{ text: 'a' }, { text: 'a' }] });
    expect(shared.text).toBe('a\u0000');
  });
});

describe('what is refused', () => {
  const cycle: { self?: unknown } = {};
  cycle.self = [{ cycle }];
  const throwing = Object.defineProperty({}, 'a', {
    enumerable: true,
    get: () => {
      throw new Error('no');
    },
  });
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  test.each<[string, object, string]>([
    ['a cycle', cycle, 'data_invalid'],
    ['NaN', { a: [Number.NaN] }, 'data_invalid'],
    ['an invalid Date', { at: new Date(Number.NaN) }, 'data_invalid'],
    ['a getter that throws', throwing, 'data_invalid'],
    ['a proxy that throws', { proxy }, 'data_invalid'],
    ['a list', [1], 'data_invalid'],
    ['a Date as a whole', new Date(0), 'data_invalid'],
    ['depth beyond any stack', nested(500_000, 'object') as object, 'event_too_deep'],
    ['a Map', { a: new Map() }, 'data_invalid'],
    ['a Set in a list', { a: [new Set()] }, 'data_invalid'],
    ['an Error', { error: new Error('no') }, 'data_invalid'],
  ])('%s', (_, data, code) => {
    expect(refusal(data)).toBe(code);
  });

  test('null and undefined, whatever the types say', () => {
    for (const none of [null, undefined, 'text', 1]) {
      expect(refusal(none as unknown as object)).toBe('data_invalid');
    }
  });

  test('what is too deep or too long for the gateway is left for its rules to refuse', () => {
    for (const data of [nested(16, 'object') as object, { text: 'x'.repeat(262_144) }]) {
      expect(refusal(data)).toBe('none');
      const event = { type: 'a', target: { type: 'all' }, data };
      const encoded = encodeEvent('notifications', event, 0);
      expect(encoded).toMatchObject({ code: expect.stringMatching(/^event_too_(deep|large)$/) });
    }
  });
});

const seed = Date.now();
test(`what is not refused is an event's data, and nothing that is JSON is lost (seed ${seed})`, () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string({ unit: 'grapheme' }), fc.jsonValue()), (data) => {
      const before = JSON.stringify(data);
      const copy = sanitizeNotificationData(data);
      expect(JSON.stringify(data)).toBe(before);
      const event = { type: 'a', target: { type: 'all' }, data: copy };
      const encoded = encodeEvent('notifications', event, 0);
      // It may name a user, which is not for all.
      if (encoded instanceof PublishError) expect(encoded.code).toBe('private_field');
      expect(sanitizeNotificationData(copy)).toEqual(copy);
      if (!/\\u00[01789]|\\[bfr]|[\u007f-\u009f]|__proto__|constructor|prototype/.test(before)) {
        expect(JSON.stringify(copy)).toBe(before);
      }
    }),
    { seed, numRuns: 5_000 },
  );
});
