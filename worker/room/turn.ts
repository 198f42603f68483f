/** The turn that an object is in: everything that happens to it is one. */
export interface Turn {
  /** Counts the turns, so that what is measured once in a turn is measured once. */
  readonly number: number;
  /**
   * The call of another object that this turn answers; undefined for any other turn. What wakes an object
   * may be `either`, which the object does not know yet.
   */
  readonly answers: 'follow' | 'push' | 'either' | undefined;
  /**
   * How many calls of objects to each other led to it, one after the other. The platform refuses a call
   * that too many led to, so after `MOST_DEPTH` it is left to the alarm, which nothing led to.
   */
  readonly depth: number;
}

/** What has left for sockets in a turn. */
export interface Sent {
  messages: number;
  characters: number;
}

/** The turn that it is now. */
export class PresentTurn implements Turn, Sent {
  number = 0;
  answers: Turn['answers'];
  depth = 0;
  messages = 0;
  characters = 0;

  begin({ answers, depth = 0 }: Partial<Pick<Turn, 'answers' | 'depth'>>): void {
    this.number++;
    this.answers = answers;
    this.depth = depth;
    this.messages = 0;
    this.characters = 0;
  }
}

/** The platform's limit is 16, and a push down the tree is at most 4 calls. */
export const MOST_DEPTH = 8;
