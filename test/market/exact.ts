/**
 * Decimals as an outsider counts them, from their text: exact, to 24 digits, and without a word of
 * the market's own arithmetic.
 */
const DIGITS = 24;

const ONE = 10n ** BigInt(DIGITS);

export function exact(value: unknown): bigint {
  const match = /^(-?)(\d+)(?:\.(\d+))?(?:e([+-]\d+))?$/.exec(String(value));
  if (match === null) throw new Error(`${value} is no decimal`);
  const [, sign, whole = '', fraction = '', exponent = '0'] = match;
  const zeros = DIGITS - fraction.length + Number(exponent);
  if (zeros < 0) throw new Error(`${value} has more than ${DIGITS} digits`);
  const units = BigInt(whole + fraction) * 10n ** BigInt(zeros);
  return sign === '-' ? -units : units;
}

/** The decimal whose exact value is `units`, not negative. */
export function text(units: bigint): string {
  const digits = String(units).padStart(DIGITS + 1, '0');
  return `${digits.slice(0, -DIGITS)}.${digits.slice(-DIGITS)}`;
}

/** Throws when the product has more digits than are counted. */
export function product(one: bigint, other: bigint): bigint {
  if ((one * other) % ONE !== 0n) throw new Error('not exact');
  return (one * other) / ONE;
}
