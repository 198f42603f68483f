import { expect, it } from 'vitest';
import { digitsOf } from '../../worker/page/model/digits.ts';
import {
  brief,
  compact,
  decimal,
  duration,
  money,
  percent,
  signed,
} from '../../worker/page/view/format.ts';

it.each([
  ['45000.50', 0, '45,000.50'],
  ['12345678901234567890.10', 0, '12,345,678,901,234,567,890.10'],
  [0.000012339, 0, '0.000012339'],
  [1e-9, 0, '0.000000001'],
  [67228, 2, '67,228.00'],
  ['-1234.5', 2, '−1,234.50'],
  [undefined, 2, '–'],
])('%s with %i digits is written %s', (value, digits, text) => {
  expect(decimal(value, digits)).toBe(text);
});

it('knows the digits of numbers and texts', () => {
  expect([1e-9, '1.50', 3, null].map(digitsOf)).toEqual([9, 2, 0, 0]);
});

it('shortens an amount that would take too much room', () => {
  expect(['', '1179.4', '11688.22', 225_530_000, null].map(brief)).toEqual([
    ...['', '1,179.4', '11,688.22', '225.53M', '–'],
  ]);
});

it('writes money, shares and amounts', () => {
  expect(money('1234.5')).toBe('1,234.50');
  expect([percent('1.2'), percent(-0.004), percent(-3)]).toEqual(['+1.20%', '0.00%', '−3.00%']);
  expect(signed(-1234.567, 2)).toBe('−1,234.57');
  expect(compact(308_080_000)).toBe('308.08M');
});

it('writes durations with as many digits as anyone reads', () => {
  expect([0.44, 9.94, 9.96, 999.4, 1_400, undefined].map(duration)).toEqual([
    '0.4 ms',
    '9.9 ms',
    '10 ms',
    '999 ms',
    '1.4 s',
    '–',
  ]);
});
