/** Symbols, user ids and custom rooms as real exchanges, wallets and login services have them. */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  isCustomRoom,
  MAX_NAME_LENGTH,
  nameOfRoom,
  normalRoomName,
  parseRoomName,
  RELAY,
  ROOM_ACCESS,
} from '../../worker/protocol/rooms.ts';

const ADDRESS = '0xC02aaA39b223FE8D0A0e5C4F27eAD9083C756Cc2';
const OTHER_ADDRESS = '0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48';
const POOL = '0x21c67e77068de97969ba93d4aab21826d33ca12bb9f565d8496e8fda8a82ca27';

const SYMBOLS = [
  ['a pair', 'BTC-USDC'],
  ['a pair with an underscore', '1000PEPE_USDT'],
  ['a pair with a slash', 'BTC/USDC'],
  ['a settled pair', 'BTC/USDT:USDT'],
  ['a share class', 'BRK.B'],
  ['an index', '^GSPC'],
  ['a future', 'ES=F'],
  ['an option', 'BTC-27DEC26-100000-C'],
  ['a spot index of Hyperliquid', '@107'],
  ['a market of a builder on Hyperliquid', 'xyz:TSLA'],
  ['an outcome', 'Will-it-rain?'.replace('?', '')],
  ['a coin type of Sui', '0x2::sui::SUI'],
  ['a coin type of Aptos', '0x1::aptos_coin::AptosCoin'],
  [
    'a denomination of Cosmos',
    `ibc/${'27394FB092D2ECCD56123C74F36E4C1F926001CEADA9CA97EA622B25F41E5EB2'}`,
  ],
  ['a factory denomination', `factory/osmo1${'q'.repeat(38)}/uUSD`],
  ['an address of a pool', ADDRESS.toLowerCase()],
  ['a pool id of 66 characters', POOL],
  [
    'two mints of Solana',
    'So11111111111111111111111111111111111111112-EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGkZwyTDt1v',
  ],
  ['a currency sign', 'USD₮-USDC'],
  ['a Chinese name', '币安人生-USDC'],
  ['a picture', '🐸-USDC'],
  ['a leading dollar', '$WIF/USDC'],
  ['a leading dot', '.BXBT'],
  ['a leading hyphen', '-USDC'],
  ['a plus and a star', 'A+B*C'],
  ['a picture with a tone of skin', '💪🏽-USDC'],
  ['a flag', '🇯🇵-USDC'],
] as const;

const USERS = [
  ['a UUID', '3fa85f64-5717-4562-b3fc-2c963f66afa6'],
  ['a nanoid with a leading hyphen', '-V1StGXR8Z5jdHi6BmyT'],
  ['base64url with a leading underscore', '_9fK-2wQ_x'],
  ['a chat of Telegram', '-1001234567890'],
  ['a mail address', 'bob@example.com'],
  ['a mail address with signs', "o'brien+news@sub.example.co.uk"],
  ['a user of Auth0', 'auth0|5f7c8ec7c33c6c004bbafe82'],
  ['a mail user of Auth0', 'email|a+b@c.de'],
  ['a user of SAML', 'samlp|okta|jane.doe@example.com'],
  ['a DID', 'did:privy:cl9x8y7z60000qwer'],
  ['a DID of a wallet', 'did:pkh:eip155:1:0xab16a96d359ec26a11e2c2b3d8f8b8942d5bfcdb'],
  ['base64 with padding', 'aGVsbG8/d29ybGQ='.replace('?', '')],
  ['a name with an accent', 'josé'],
  ['an ARN', 'arn:aws:iam::123456789012:user/bob'],
  ['256 characters', 'u'.repeat(MAX_NAME_LENGTH)],
] as const;

/** What no room name has anywhere, and why. */
const REFUSED = [
  ['white space', 'BTC USDC'],
  ['a no-break space', 'BTC\u00a0USDC'],
  ['an ideographic space', 'BTC\u3000USDC'],
  ['a place after a blank', 'BTC-USDC weur.3'],
  ['a line break', 'BTC\n'],
  ['a control character', 'BTC\u0007'],
  ['a null', 'BTC\u0000'],
  ['a zero-width space', 'BTC\u200bUSDC'],
  ['a direction mark', 'BTC\u202eUSDC'],
  ['a filler that looks like nothing', 'BTC\u3164'],
  ['a soft hyphen', 'BTC\u00adUSDC'],
  ['a byte order mark', '\ufeffBTC'],
  ['half of a surrogate pair', 'BTC\ud800'],
  ['a question mark', 'BTC?since=1:1'],
  ['a hash', 'BTC#1'],
  ['a percent sign', 'BTC%2FUSDC'],
  ['a double quote', 'BTC"'],
  ['a backslash', 'BTC\\USDC'],
  ['angle brackets', '<script>'],
  ['braces', '{symbol}'],
  ['signs that are joined by a mark to another sign', '=\u0338'],
  ['pictures that are joined invisibly', '👨\u200d👩'],
  ['a picture with a sign of how to paint it', '❤\ufe0f'],
  ['nothing', ''],
  ['more than 256 characters', 'u'.repeat(MAX_NAME_LENGTH + 1)],
  ['characters that compose to more than 256', '\u0958'.repeat(MAX_NAME_LENGTH / 2 + 1)],
] as const;

describe('N1: a symbol', () => {
  it.each(SYMBOLS)('may be %s', (_, symbol) => {
    for (const roomClass of ['price', 'orderbook', 'trade'] as const) {
      expect(parseRoomName(`${roomClass}:${symbol}`)).toEqual({ class: roomClass, id: symbol });
    }
  });
});

describe('N1: a user id', () => {
  it.each(USERS)('may be %s', (_, id) => {
    expect(parseRoomName(`user:${id}`)).toEqual({ class: 'user', id });
  });
});

describe('N1: a custom room', () => {
  it.each([...SYMBOLS, ...USERS].filter(([, name]) => !name.includes(':')))(
    'may be called as %s',
    (_, name) => {
      expect(parseRoomName(name)).toEqual({ class: 'custom', id: name });
    },
  );

  it.each([
    'price',
    'user',
    'system',
    'price_updates',
    'prices:BTC',
    'Price:BTC',
    '__proto__:x',
    '.',
    '..',
  ])('is not %s', (name) => {
    expect(isCustomRoom(name)).toBe(false);
  });
});

it('N1: the page names all names that a custom room may not have', () => {
  const page = readFileSync('worker/protocol/PROTOCOL.md', 'utf8');
  const [, list = ''] = /and it is none of (.*?)\. So/.exec(page) ?? [];
  const named = Array.from(list.matchAll(/`([^`]+)`/g), ([, name]) => name);
  const classes = Object.keys(ROOM_ACCESS).filter((name) => name !== 'custom');
  expect(named.toSorted()).toEqual([...classes, RELAY, '.', '..'].toSorted());
});

describe('N2: no name holds', () => {
  it.each(REFUSED)('%s', (_, name) => {
    for (const room of [`price:${name}`, `user:${name}`, name]) {
      expect(parseRoomName(room), room).toBeUndefined();
    }
  });
});

describe('N3: one name is one room', () => {
  it.each([
    ['a wallet', `user:${ADDRESS}`, `user:${ADDRESS.toLowerCase()}`],
    ['a wallet with a capital X', `user:${ADDRESS.toUpperCase()}`, `user:${ADDRESS.toLowerCase()}`],
    [
      'a wallet inside a DID',
      `user:did:pkh:eip155:1:${ADDRESS}`,
      `user:did:pkh:eip155:1:${ADDRESS.toLowerCase()}`,
    ],
    [
      'a pair of addresses',
      `price:${ADDRESS}-${OTHER_ADDRESS}`,
      `price:${ADDRESS}-${OTHER_ADDRESS}`.toLowerCase(),
    ],
    ['an accent that is a mark of its own', 'user:jose\u0301', 'user:josé'],
    ['the sign of Ohm, which is a letter', 'price:\u2126', 'price:Ω'],
    ['the Greek question mark, which is a semicolon', 'price:A\u037eB', 'price:A;B'],
  ])('in whatever form: %s', (_, form, room) => {
    expect(normalRoomName(form)).toBe(room);
    expect(normalRoomName(room)).toBe(room);
  });

  it.each([
    ['the case of a symbol', 'price:btc-usdc', 'price:BTC-USDC'],
    ['the case of a user id', 'user:Bob', 'user:bob'],
    ['a short number, which may be a nickname', 'user:0xBEEF', 'user:0xbeef'],
    ['digits that are part of a longer word', `user:a${ADDRESS}`, `user:a${ADDRESS.toLowerCase()}`],
    ['an address of Solana', 'user:So1A', 'user:so1a'],
  ])('but another name is another room: %s', (_, one, other) => {
    expect(normalRoomName(one)).not.toBe(normalRoomName(other));
  });

  it('N4: for any text, the form of a room names a room, is its own form, and survives an address', () => {
    // Signs and marks together make signs that no name has.
    const marked = fc.tuple(fc.constantFrom(...'=~|+^e0'), fc.constantFrom('\u0338', '\u0301'));
    const text = fc.oneof(
      marked.map((pair) => pair.join('')),
      fc.string({ unit: 'binary', maxLength: 40 }),
      fc.string({ unit: 'grapheme', maxLength: 260 }),
      fc.stringMatching(/^0[xX][0-9a-fA-F]{38,66}$/),
    );
    const prefix = fc.constantFrom('', 'price:', 'user:', 'trade:', 'orderbook:');
    fc.assert(
      fc.property(prefix, text, (before, id) => {
        const room = parseRoomName(before + id);
        if (room === undefined) return;
        const name = nameOfRoom(room);
        expect(parseRoomName(name)).toEqual(room);
        expect(normalRoomName(name)).toBe(name);
        expect(name).not.toMatch(/[\s\p{C}]/u);
        // A name survives the way through an address.
        expect(
          decodeURIComponent(new URL(`https://x/${encodeURIComponent(name)}`).pathname.slice(1)),
        ).toBe(name);
      }),
    );
  });
});
