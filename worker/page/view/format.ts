/** How numbers and times are written. A price keeps the digits that it was published with. */
import { type Published, textOf } from '../model/digits.ts';

const NONE = '–';
const MINUS = '−';
/** More characters than a narrow column has room for. */
const LONGEST = 9;
const compactFormat = new Intl.NumberFormat('en-US', {
  notation: 'compact',
  minimumFractionDigits: 2,
  maximumFractionDigits: 2,
});
const wholeFormat = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });
const timeFormat = new Intl.DateTimeFormat('en-GB', {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
});

/**
 * With all its digits, those before the point in groups of three; filled up with zeros to so many digits
 * after the point, so that the numbers of a column stand below each other.
 */
export function decimal(value: Published, digits = 0): string {
  if (value === null || value === undefined) return NONE;
  const [whole = '', fraction = ''] = textOf(value).replace('-', MINUS).split('.');
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, ',');
  const filled = fraction.padEnd(digits, '0');
  return filled === '' ? grouped : `${grouped}.${filled}`;
}

export function money(value: Published): string {
  return value === null || value === undefined ? NONE : decimal(Number(value).toFixed(2));
}

/** `+1.20%` */
export function percent(value: Published): string {
  return value === null || value === undefined ? NONE : `${signed(Number(value), 2)}%`;
}

export function signed(value: number, digits: number): string {
  const text = decimal(Math.abs(value).toFixed(digits));
  if (Number(value.toFixed(digits)) === 0) return text;
  return `${value < 0 ? MINUS : '+'}${text}`;
}

export function compact(value: Published): string {
  return value === null || value === undefined ? NONE : compactFormat.format(Number(value));
}

/** With all its digits, or `225.53M` where these would take too much room. */
export function brief(value: Published): string {
  const text = decimal(value);
  return text.length > LONGEST ? compact(value) : text;
}

export const whole = (value: number): string => wholeFormat.format(value);
export const time = (unixMs: number): string => timeFormat.format(unixMs);

/** `0.4 ms`, `37 ms`, `1.4 s` */
export function duration(ms: number | undefined): string {
  if (ms === undefined) return NONE;
  if (ms < 9.95) return `${ms.toFixed(1)} ms`;
  return ms < 999.5 ? `${ms.toFixed(0)} ms` : `${(ms / 1_000).toFixed(1)} s`;
}

/** 1, 0 or -1, as an attribute says it. */
export const signOf = (value: Published): string => String(Math.sign(Number(value ?? 0)));
