/** The newest entry of each key, within the bounds of a log's policy. */
import type { Policy } from '../../policy.ts';
import type { Entry } from './entry.ts';

export class LatestPerKey {
  readonly #bounds: Pick<Policy['retention'], 'keys' | 'keyCharacters'>;
  readonly #entries = new Map<string, Entry>();
  #characters = 0;
  #completeFrom = 0;

  constructor(bounds: Pick<Policy['retention'], 'keys' | 'keyCharacters'>) {
    this.#bounds = bounds;
  }

  /** Oldest first. */
  get entries(): Entry[] {
    return [...this.#entries.values()];
  }

  get characters(): number {
    return this.#characters;
  }

  /** For a reader at this number or later, the newest entry of every changed key is here. */
  get completeFrom(): number {
    return this.#completeFrom;
  }

  /** @param completeFrom what is known of entries that are not held again. */
  clear(completeFrom: number): void {
    this.#entries.clear();
    this.#characters = 0;
    this.#completeFrom = completeFrom;
  }

  hold(key: string, entry: Entry): void {
    // The key is deleted first, so that the map iterates in the order of the numbers.
    this.#delete(key);
    this.#entries.set(key, entry);
    this.#characters += entry.text.length;
    const { keys, keyCharacters } = this.#bounds;
    for (const [stalestKey, stalest] of this.#entries) {
      if (this.#entries.size <= keys && this.#characters <= keyCharacters) return;
      this.#completeFrom = Math.max(this.#completeFrom, stalest.seq);
      this.#delete(stalestKey);
    }
  }

  #delete(key: string): void {
    this.#characters -= this.#entries.get(key)?.text.length ?? 0;
    this.#entries.delete(key);
  }
}
