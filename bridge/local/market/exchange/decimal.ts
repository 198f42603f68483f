/**
 * Whole numbers of a smallest unit, and the decimals in which they are shown. All sums of the market
 * are sums of whole numbers; a division comes only here, and once: `units / 10^digits` is the double
 * nearest to the decimal, so JSON shows just its digits, as long as `units` is below 2^53.
 */
import type { Decimal } from '../../../../worker/protocol/events/event-shapes.ts';

/** Money is counted in millionths of a USDC, as the token itself does. */
export const MONEY_DIGITS = 6;
/** JSON.stringify writes smaller numbers with an exponent: beyond this, a decimal is a string. */
const MAX_NUMBER_DIGITS = 6;

/** `units` of 10^-digits each, for an event. */
export function decimal(units: number, digits: number): Decimal {
  if (digits > MAX_NUMBER_DIGITS) return decimalText(units, digits);
  return digits < 0 ? units * 10 ** -digits : units / 10 ** digits;
}

/** The same with all its digits: `0.000500`. */
export function decimalText(units: number, digits: number): string {
  if (digits <= 0) return String(units * 10 ** -digits);
  const text = String(Math.abs(units)).padStart(digits + 1, '0');
  const sign = units < 0 ? '-' : '';
  return `${sign}${text.slice(0, -digits)}.${text.slice(-digits)}`;
}

export const money = (micros: number): Decimal => decimal(micros, MONEY_DIGITS);

/** How much `part` is of `whole`, in percent with two digits; 0 of nothing. */
export function percent(part: number, whole: number): number {
  return whole === 0 ? 0 : Math.round((part / whole) * 10_000) / 100;
}
