/** The turn that an object is in: everything that happens to it is one. */
export interface Turn {
  /** Counts the turns, so that what is measured once in a turn is measured once. */
  readonly number: number;
  /**
   * The call of another object that this turn answers; undefined for any other turn. What wakes an object
   * may be `either`, which the object does not know yet.
   */
  readonly answers: 'follow' | 'push' | 'either' | undefined;
}
