/** A promise of the room's that was broken. */
export class Violation extends Error {
  override readonly name = 'Violation';
}

export function promise(holds: boolean, broken: () => string): asserts holds {
  if (!holds) throw new Violation(broken());
}
