/** Which symbols there are, as the operator names them. */
import { describe, expect, it } from 'vitest';
import { ConfigError } from '../../worker/protocol/environment/variables.ts';
import { symbolsOf } from '../../worker/symbols.ts';

const ADDRESS = `0x${'aB'.repeat(20)}`;

describe('SYMBOLS', () => {
  it.each<[string | undefined, string, boolean]>([
    [undefined, 'price:ANY', true],
    ['', 'price:ANY', true],
    ['BTC-USDC', 'price:BTC-USDC', true],
    ['BTC-USDC', 'orderbook:BTC-USDC', true],
    ['BTC-USDC', 'trade:BTC-USDC', true],
    ['BTC-USDC', 'trade:BTC-USD', false],
    ['BTC-USDC', 'trade:btc-usdc', false],
    ['BTC-USDC, ETH-*\n0x*', 'price:ETH-USDC', true],
    ['BTC-USDC, ETH-*\n0x*', 'price:0x12', true],
    ['BTC-USDC, ETH-*\n0x*', 'price:WETH-USDC', false],
    ['*-USDC', 'price:BTC-USDC', true],
    ['*-USDC', 'price:BTC-USDC.P', false],
    ['A*B*C', 'price:AxBxC', true],
    ['A*B*C', 'price:ABC', true],
    ['A*B*C', 'price:AxCxB', false],
    ['A*BC*C', 'price:ABC', false],
    ['AB*BA', 'price:ABA', false],
    ['A**B', 'price:AB', true],
    ['*', 'price:ANY', true],
    // What an expression would read as signs stands for itself here.
    ['A.B*', 'price:AxB', false],
    // A name is compared in its normal form.
    [ADDRESS, `trade:${ADDRESS.toLowerCase()}`, true],
    [`${ADDRESS}/*`, `trade:${ADDRESS.toLowerCase()}/${ADDRESS.toLowerCase()}`, true],
    ['e\u0301UR', 'price:\u00e9UR', true],
    // Only these rooms are called by a symbol.
    ['BTC-USDC', 'price_updates', true],
    ['BTC-USDC', 'system', true],
    ['BTC-USDC', 'user:u', true],
    ['BTC-USDC', 'trading-room', true],
  ])('%j: there is %s: %s', (SYMBOLS, room, expected) => {
    expect(symbolsOf(SYMBOLS === undefined ? {} : { SYMBOLS }).hasRoom(room)).toBe(expected);
  });

  it.each([' ', ',', 'BTC-USDC <b>', '%', `A${'x'.repeat(300)}`])('cannot be %j', (SYMBOLS) => {
    expect(() => symbolsOf({ SYMBOLS })).toThrow(ConfigError);
  });

  it('judges hostile names quickly', () => {
    const symbols = symbolsOf({ SYMBOLS: '*a*a*a*a*a*a*a*a*b' });
    const before = performance.now();
    for (let i = 0; i < 1_000; i++) expect(symbols.hasRoom(`price:${'a'.repeat(256)}`)).toBe(false);
    expect(performance.now() - before).toBeLessThan(1_000);
  });
});
