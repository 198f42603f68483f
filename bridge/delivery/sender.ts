/**
 * Sends one body until the Worker has an opinion on it. An outage, however long, is waited out
 * here: exponential backoff with full jitter, each attempt signed afresh (a signature is good for
 * five minutes), the reason on the readiness page. No circuit breaker: the partitions are bounded
 * and each waits for its own batch, so there is nothing to protect by failing early.
 */
import { randomUUID } from 'node:crypto';
import { type SigningKey, sign } from '../../worker/protocol/signature.ts';
import { backoffMs, DELIVERY_BACKOFF, type Pause, pause } from '../shared/backoff.ts';
import { type HttpAnswer, judge, type Verdict } from './answer.ts';
import type { Body } from './batcher.ts';
import type { Post } from './http-post.ts';
import type { Semaphore } from './semaphore.ts';
import type { Stop } from './stop.ts';

/** The Worker answers within milliseconds; one that hangs is given up after much longer. */
const SLOW_ANSWER_MS = 2_000;

/** The Worker's opinion, or none because we were stopped. */
export type Sent = Exclude<Verdict, { kind: 'retry' }> | { kind: 'stopped' };

/** What the sender tells of its work. */
export interface SenderObserver {
  answered(answer: { verdict: Verdict['kind']; reason: string; seconds: number }): void;
  /** `reason` is undefined when the body is through, or given up by a stop. */
  waiting(partition: string, reason: string | undefined): void;
}

export interface SenderOptions {
  readonly post: Post;
  readonly keys: readonly SigningKey[];
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
  readonly #keys: readonly SigningKey[];
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
    const wait = (reason: string) => {
      waited = true;
      this.#observer.waiting(partition, reason);
    };
    try {
      while (!stop.retrying.aborted) {
        const slow = setTimeout(wait, this.#slowAnswerMs, 'slow_answer');
        const verdict = await this.#attempt(id, bytes, records.length, stop);
        clearTimeout(slow);
        if (verdict === undefined) break;
        if (verdict.kind !== 'retry') return verdict;
        wait(verdict.reason);
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

  /** undefined: stopped before an answer. */
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
      const signature = await sign(this.#keys, id, bytes, Math.floor(startedAt / 1000));
      const answer = await this.#post(bytes, { ...CONTENT_TYPE, ...signature }, stop.posting);
      return this.#observe(judge(answer, records, this.#now()), answer, startedAt);
    } catch {
      if (stop.posting.aborted) return undefined;
      return this.#observe({ kind: 'retry', reason: 'no_answer' }, undefined, startedAt);
    } finally {
      this.#permits.release();
    }
  }

  #observe(verdict: Verdict, answer: HttpAnswer | undefined, startedAt: number): Verdict {
    const reason = verdict.kind === 'retry' ? verdict.reason : `http_${answer?.status}`;
    const seconds = (this.#now() - startedAt) / 1000;
    this.#observer.answered({ verdict: verdict.kind, reason, seconds });
    return verdict;
  }
}

const CONTENT_TYPE = { 'content-type': 'application/json' };
