/** Numbers as they are published: as text or as JSON numbers, each with digits of its own. */

export type Published = number | string | null | undefined;

const plainFormat = new Intl.NumberFormat('en-US', {
  maximumFractionDigits: 20,
  useGrouping: false,
});

/** Without an exponent, and without groups. */
export function textOf(value: number | string): string {
  return typeof value === 'number' ? plainFormat.format(value) : value;
}

/** How many digits stand after the point. */
export function digitsOf(value: Published): number {
  return textOf(value ?? '').split('.')[1]?.length ?? 0;
}

/** The most digits after the point that any of them has. */
export function mostDigits(values: readonly Published[]): number {
  return Math.max(0, ...values.map(digitsOf));
}
