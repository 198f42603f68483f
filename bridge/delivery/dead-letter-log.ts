/**
 * Tells of dead letters at a bounded rate: the first of a topic and code at once, and then, once in ten
 * seconds, how many followed and which was the last. One mistake of a producer may make thousands, and
 * each is in the dead-letter topic with its reason anyway.
 */
import type { Partition, Refusal } from '../kafka/record.ts';
import type { Logger } from '../shared/log.ts';

/** How often what followed the first is logged, in ms. */
export const SUMMARY_INTERVAL_MS = 10_000;

interface Followers {
  count: number;
  last: object;
}

export class DeadLetterLog {
  readonly #log: Pick<Logger, 'warn'>;
  /** What has followed the first, by topic and code, since it was logged last. */
  readonly #followers = new Map<string, Followers>();

  constructor(log: Pick<Logger, 'warn'>) {
    this.#log = log;
  }

  report({ topic, partition }: Partition, refusals: readonly Refusal[]): void {
    for (const { record, code } of refusals) {
      // The message may quote the record, which is nothing for a log.
      const place = { topic, partition, offset: record.offset, code };
      const name = `${topic} ${code}`;
      const known = this.#followers.get(name);
      if (known === undefined) {
        this.#followers.set(name, { count: 0, last: place });
        this.#log.warn(place, 'record dead-lettered');
        this.#summariseLater(name);
      } else {
        known.count++;
        known.last = place;
      }
    }
  }

  #summariseLater(name: string): void {
    setTimeout(() => this.#summarise(name), SUMMARY_INTERVAL_MS).unref();
  }

  #summarise(name: string): void {
    const { count, last } = this.#followers.get(name) ?? { count: 0, last: {} };
    this.#followers.delete(name);
    if (count === 0) return;
    this.#followers.set(name, { count: 0, last });
    this.#log.warn({ ...last, count }, 'more records dead-lettered, the last of them here');
    this.#summariseLater(name);
  }
}
