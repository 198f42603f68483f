/**
 * Lets partitions share a POST. Most of what a POST costs, here and in the Worker, does not depend on how
 * many records it has, and under an ordinary load each partition has one or two at a time.
 *
 * Bodies that are given in the same turn of the event loop leave together: those of one fetch, or of
 * partitions that shared the POST before. At rest that is one body, and nothing waits for company.
 *
 * Each partition keeps its order, because it has one body under way, alone or in company. And none waits
 * long for another's trouble:
 * - What is accepted is split again by partition. When the answer is another, or does not come soon, each
 *   body is sent by itself. The first POST may still take effect: rooms drop what they have already.
 * - A partition goes alone until it has been answered quickly, and again after an answer that was not. So
 *   one that is slow, halved or tried again has no company.
 */

import type { Batcher, Body } from '../batcher.ts';
import { type Stop, StopController } from '../stop.ts';
import type { Verdict } from './answer.ts';
import type { Sender, SenderObserver, Sent } from './sender.ts';

/** A body of more records has its POST to itself: shared by so many, what a POST costs is little. */
const MAX_PART_RECORDS = 100;
/** An answer within this time, in ms, is quick. It is what partitions may cost each other. */
const QUICK_ANSWER_MS = 100;
/** How long a shared answer is awaited, in ms. It is what a partition that begins to hang costs, once. */
const PATIENCE_MS = 500;

export interface SharedPostOptions {
  readonly sender: Pick<Sender, 'send' | 'attempt'>;
  readonly batcher: Pick<Batcher, 'join' | 'limits'>;
  readonly observer: Pick<SenderObserver, 'answered'>;
  /** In ms, of a clock that only goes forward. */
  readonly now?: () => number;
  readonly patienceMs?: number;
}

/** A body on its way, and whom to notify of how that ended. */
interface Part {
  readonly partition: string;
  readonly body: Body;
  readonly stop: Stop;
  readonly done: (sent: Sent | Promise<Sent>) => void;
}

export class SharedPost {
  readonly #options: SharedPostOptions;
  readonly #now: () => number;
  /** The partitions whose last answer was quick. */
  readonly #quick = new Set<string>();
  #waiting: Part[] = [];

  constructor(options: SharedPostOptions) {
    this.#options = options;
    this.#now = options.now ?? performance.now.bind(performance);
  }

  /** Sends a body, as `Sender.send` does. */
  send(partition: string, body: Body, stop: Stop): Promise<Sent> {
    if (!this.#quick.has(partition) || body.records.length > MAX_PART_RECORDS) {
      return this.#sendAlone(partition, body, stop);
    }
    const { promise, resolve } = Promise.withResolvers<Sent>();
    this.#waiting.push({ partition, body, stop, done: resolve });
    if (this.#waiting.length === 1) setImmediate(() => this.#depart());
    return promise;
  }

  #depart(): void {
    const parts = this.#waiting;
    this.#waiting = [];
    const isStopped = ({ stop }: Part) => stop.retrying.aborted;
    this.#separate(parts.filter(isStopped));
    for (const company of this.#group(parts.filter((part) => !isStopped(part)))) {
      if (company.length > 1) void this.#sendTogether(company);
      else this.#separate(company);
    }
  }

  /** As many as fit into one POST, in the order in which they came. */
  #group(parts: readonly Part[]): Part[][] {
    const { maxRecords, maxBytes } = this.#options.batcher.limits;
    const groups: Part[][] = [];
    let [records, bytes] = [0, 0];
    for (const part of parts) {
      const { body } = part;
      records += body.records.length;
      bytes += body.bytes.length;
      const group = groups.at(-1);
      if (group !== undefined && records <= maxRecords && bytes <= maxBytes) {
        group.push(part);
      } else {
        groups.push([part]);
        [records, bytes] = [body.records.length, body.bytes.length];
      }
    }
    return groups;
  }

  async #sendTogether(parts: readonly Part[]): Promise<void> {
    const startedAt = this.#now();
    const verdict = await this.#attempt(parts);
    const isQuick = this.#now() - startedAt <= QUICK_ANSWER_MS;
    if (verdict?.kind !== 'accepted') return this.#separate(parts);
    for (const [index, sent] of split(verdict, parts).entries()) {
      const part = parts[index] as Part;
      this.#note(part.partition, isQuick);
      part.done(sent);
    }
  }

  /** One attempt for all; undefined when it was stopped, or not answered soon. */
  async #attempt(parts: readonly Part[]): Promise<Verdict | undefined> {
    const { sender, batcher, observer, patienceMs = PATIENCE_MS } = this.#options;
    const stop = new StopController();
    const abandon = () => stop.abandon();
    for (const part of parts) part.stop.posting.addEventListener('abort', abandon);
    const timer = setTimeout(() => {
      abandon();
      observer.answered({
        verdict: 'retry',
        reason: 'shared_unanswered',
        seconds: patienceMs / 1000,
        taken: 0,
      });
    }, patienceMs);
    const verdict = await sender.attempt(batcher.join(parts.map(({ body }) => body)), stop);
    clearTimeout(timer);
    for (const part of parts) part.stop.posting.removeEventListener('abort', abandon);
    return verdict;
  }

  /** Sends each by itself. */
  #separate(parts: readonly Part[]): void {
    for (const { partition, body, stop, done } of parts) {
      done(this.#sendAlone(partition, body, stop));
    }
  }

  async #sendAlone(partition: string, body: Body, stop: Stop): Promise<Sent> {
    const startedAt = this.#now();
    const sent = await this.#options.sender.send(partition, body, stop);
    const isQuick = this.#now() - startedAt <= QUICK_ANSWER_MS;
    this.#note(partition, sent.kind === 'accepted' && isQuick);
    return sent;
  }

  #note(partition: string, isQuick: boolean): void {
    if (isQuick) this.#quick.add(partition);
    else this.#quick.delete(partition);
  }
}

/** What of an answer is of each part. */
function split(
  { duplicates, rejected }: Extract<Verdict, { kind: 'accepted' }>,
  parts: readonly Part[],
): Sent[] {
  let first = 0;
  let unassigned = duplicates;
  return parts.map(({ body: { records } }) => {
    const start = first;
    first += records.length;
    const own = rejected
      .filter(({ index }) => index >= start && index < first)
      .map((one) => ({ ...one, index: one.index - start }));
    const taken = records.length - own.length;
    // The answer does not say whose they are. They are rare here, because what is tried again goes alone.
    const known = Math.min(unassigned, taken);
    unassigned -= known;
    return { kind: 'accepted', accepted: taken - known, duplicates: known, rejected: own };
  });
}
