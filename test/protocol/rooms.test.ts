import { describe, expect, it } from 'vitest';
import { parseCursor } from '../../worker/protocol/frames.ts';
import { parseRoomName } from '../../worker/protocol/rooms.ts';

describe('room names', () => {
  it.each([
    ['price:BTC-USDC', { class: 'price', id: 'BTC-USDC' }],
    ['orderbook:1000PEPE_USDT', { class: 'orderbook', id: '1000PEPE_USDT' }],
    ['trade:brk.b', { class: 'trade', id: 'brk.b' }],
    ['price_updates', { class: 'price_updates', id: '' }],
    ['system', { class: 'system', id: '' }],
    ['user:user-123', { class: 'user', id: 'user-123' }],
    ['user:did:privy:cl9|x', { class: 'user', id: 'did:privy:cl9|x' }],
    ['trading-room-general', { class: 'custom', id: 'trading-room-general' }],
    [`price:${'A'.repeat(64)}`, { class: 'price', id: 'A'.repeat(64) }],
  ])('%s is one', (name, parsed) => {
    expect(parseRoomName(name)).toEqual(parsed);
  });

  it.each([
    '',
    'price',
    'user',
    'price:',
    'user:',
    'price:BTC USDC',
    'price:BTC/USDC',
    'price:BTC@weur.3',
    '@weur.3',
    'room@1',
    'user:a@b',
    'user:é',
    'prices:BTC',
    'Price:BTC',
    '-room',
    `price:${'A'.repeat(65)}`,
    `user:${'a'.repeat(129)}`,
    'price:BTC\n',
    '__proto__:x',
  ])('%j is none', (name) => {
    expect(parseRoomName(name)).toBeUndefined();
  });
});

describe('cursors', () => {
  it('are epoch:seq', () => {
    expect(parseCursor('1703123456789:42')).toEqual({ epoch: 1703123456789, seq: 42 });
  });

  it.each([
    '',
    '1',
    ':',
    '1:',
    ':1',
    '1:2:3',
    '-1:2',
    '1.5:2',
    '1e3:2',
    ' 1:2',
    `1:${'9'.repeat(16)}`,
  ])('%j is none', (text) => {
    expect(parseCursor(text)).toBeUndefined();
  });
});
