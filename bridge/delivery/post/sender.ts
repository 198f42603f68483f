/**
 * Sends one body until the Worker has an opinion on it. An outage is waited out here, however long it
 * is: with exponential backoff and full jitter, and with a new signature for each attempt, because a
 * signature is good for five minutes. The reason is on the readiness page. There is no circuit
 * breaker: the partitions are bounded and each waits for its own batch, so failing early helps nobody.
 */
import { type KeyObject, randomUUID } from 'node:crypto';
import { backoffMs, DELIVERY_BACKOFF, type Pause, pause } from '../../shared/backoff.ts';
import { messageOf, networkFault } from '../../shared/network-fault.ts';
import type { Body } from '../batcher.ts';
import type { Stop } from '../stop.ts';
import { type HttpAnswer, judge, type Verdict } from './answer.ts';
import type { Post } from './http-post.ts';
import type { Semaphore } from './semaphore.ts';
import { sign } from './signer.ts';

/** After how long without an answer the bridge says that it waits, in ms. */
const SLOW_ANSWER_MS = 2_000;

/** The Worker's opinion, or that we were stopped before. */
export type Sent = Exclude<Verdict, { kind: 'retry' }> | { kind: 'stopped' };

/** What the sender reports of its work. */
export interface SenderObserver {
  answered(answer: {
    verdict: Verdict['kind'];
    reason: string;
    seconds: number;
    /** How many records the Worker took, or had already. */
    taken: number;
  }): void;
  /** `reason` is undefined when the body was taken, or was given up by a stop. */
  waiting(partition: string, reason: string | undefined, message?: string): void;
}

export interface SenderOptions {
  readonly post: Post;
  readonly keys: readonly KeyObject[];
  /** How many POSTs may be under way at a time. */
  readonly permits: Semaphore;
  readonly observer: SenderObserver;
  /** Unix ms. */
  readonly now?: () => number;
  readonly random?: () => number;
  readonly pause?: Pause;
  /** After how long an answer that is still awaited makes the bridge unready. */
  readonly slowAnswerMs?: number;
}

export class Sender {
  readonly #post: Post;
  readonly #keys: readonly KeyObject[];
  readonly #permits: Semaphore;
  readonly #observer: SenderObserver;
  readonly #now: () => number;
  readonly #random: () => number;
  readonly #pause: Pause;
  readonly #slowAnswerMs: number;

  constructor(options: SenderOptions) {
    this.#post = options.post;
    this.#keys = options.keys;
    this.#permits = options.permits;
    this.#observer = options.observer;
    this.#now = options.now ?? Date.now;
    this.#random = options.random ?? Math.random;
    this.#pause = options.pause ?? pause;
    this.#slowAnswerMs = options.slowAnswerMs ?? SLOW_ANSWER_MS;
  }

  /** Never rejects. @param partition names the waiting partition to the observer. */
  async send(partition: string, { bytes, records }: Body, stop: Stop): Promise<Sent> {
    const id = randomUUID();
    let failures = 0;
    let waited = false;
    const wait = (reason: string, message?: string) => {
      waited = true;
      this.#observer.waiting(partition, reason, message);
    };
    try {
      while (!stop.retrying.aborted) {
        const slow = setTimeout(wait, this.#slowAnswerMs, 'slow_answer');
        const verdict = await this.#attempt(id, bytes, records.length, stop);
        clearTimeout(slow);
        if (verdict === undefined) break;
        if (verdict.kind !== 'retry') return verdict;
        wait(verdict.reason, verdict.message);
        const floorMs = verdict.retryAfterMs ?? 0;
        await this.#pause(
          backoffMs(failures, DELIVERY_BACKOFF, this.#random, floorMs),
          stop.retrying,
        );
        failures++;
      }
      return { kind: 'stopped' };
    } finally {
      if (waited) this.#observer.waiting(partition, undefined);
    }
  }

  /** Sends a body once; undefined when it was stopped before an answer. */
  attempt({ bytes, records }: Body, stop: Stop): Promise<Verdict | undefined> {
    return this.#attempt(randomUUID(), bytes, records.length, stop);
  }

  async #attempt(
    id: string,
    bytes: Buffer<ArrayBuffer>,
    records: number,
    stop: Stop,
  ): Promise<Verdict | undefined> {
    await this.#permits.acquire();
    const startedAt = this.#now();
    try {
      if (stop.retrying.aborted) return undefined;
      const signature = sign(this.#keys, id, bytes, Math.floor(startedAt / 1000));
      const answer = await this.#post(bytes, { ...CONTENT_TYPE, ...signature }, stop.posting);
      return this.#observe(judge(answer, records, this.#now()), answer, startedAt);
    } catch (error) {
      if (stop.posting.aborted) return undefined;
      return this.#observe(unanswered(error), undefined, startedAt);
    } finally {
      this.#permits.release();
    }
  }

  #observe(verdict: Verdict, answer: HttpAnswer | undefined, startedAt: number): Verdict {
    const reason = verdict.kind === 'retry' ? verdict.reason : `http_${answer?.status}`;
    const seconds = (this.#now() - startedAt) / 1000;
    const taken = verdict.kind === 'accepted' ? verdict.accepted + verdict.duplicates : 0;
    this.#observer.answered({ verdict: verdict.kind, reason, seconds, taken });
    return verdict;
  }
}

/** Why there is no answer, where the network says so. */
export function unanswered(error: unknown): Verdict & { readonly kind: 'retry' } {
  const message = messageOf(error);
  return {
    kind: 'retry',
    reason: reasonOf(error),
    ...(message === undefined ? {} : { message }),
  };
}

function reasonOf(error: unknown): string {
  const fault = networkFault(error);
  if (fault !== undefined) return `gateway_${fault}`;
  // The parser of HTTP cannot make anything of what was answered.
  const isNoHttp = error instanceof Error && 'code' in error && /^HPE_/.test(String(error.code));
  return isNoHttp ? 'answer_unreadable' : 'no_answer';
}

const CONTENT_TYPE = { 'content-type': 'application/json' };
