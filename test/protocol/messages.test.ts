/** What a client says, as it is read (R8 to R11, R14). */
import { describe, expect, it } from 'vitest';
import { MAX_RELAY_MESSAGE_LENGTH, readMessage } from '../../worker/protocol/messages.ts';

const price = { room: 'price:BTC-USDC' };

function read(message: object) {
  return readMessage(JSON.stringify(message), MAX_RELAY_MESSAGE_LENGTH);
}

describe('R14: a list that cannot be read is refused for what is wrong with it', () => {
  it.each([
    ['no room', [], 'rooms: Invalid length'],
    ['257 rooms', Array.from({ length: 257 }, () => price), 'rooms: Invalid length'],
    ['a text in place of the list', 'price:BTC-USDC', 'rooms: Invalid type'],
    [
      'an invalid cursor',
      [price, { ...price, since: { epoch: -1, seq: 0 } }],
      'rooms.1.since.epoch:',
    ],
    ['an unknown rate', [price, { ...price, maxRate: 3 }], 'rooms.1.maxRate:'],
  ])('%s', (_, rooms, complaint) => {
    const reading = read({ type: 'subscribe', id: 'a', rooms });
    expect(reading).toMatchObject({ kind: 'invalid', id: 'a' });
    expect(reading).toHaveProperty('complaint', expect.stringContaining(complaint));
  });

  it('also when it names rooms to leave', () => {
    const reading = read({ type: 'unsubscribe', rooms: ['price:BTC-USDC', 7] });
    expect(reading).toHaveProperty('complaint', expect.stringContaining('rooms.1:'));
  });
});

it.each(['subscribe', 'unsubscribe'])('%s of a room and of a list at once is refused', (type) => {
  const reading = read({ type, id: 1, ...price, rooms: [{ room: 'trade:BTC-USDC' }] });
  expect(reading).toEqual({ kind: 'invalid', complaint: 'room or rooms, not both', id: 1 });
});

it.each([
  { type: 'subscribe', ...price, rooms: null },
  { type: 'subscribe', room: null, rooms: [price] },
])('what is null is left out: %j', (message) => {
  const rooms = [{ ...price, since: undefined, maxRate: undefined }];
  expect(read(message)).toEqual({
    kind: 'message',
    message: { type: 'subscribe', id: undefined, rooms },
  });
});
