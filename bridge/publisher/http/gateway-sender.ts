/**
 * Sends a batch to the gateway, and tries again a few times until it is answered: with exponential
 * backoff and full jitter, at least what `Retry-After` asks for, with the same id and body each time and
 * a new signature. After a 429 all POSTs keep a distance for a while. Only the gateway's own code ends
 * the attempts: whatever another server says in its place is an outage, and condemns no event.
 */
import { randomUUID } from 'node:crypto';
import { type SigningKey, sign } from '../../../worker/protocol/batch/signature.ts';
import { HTTP_ERRORS, isHttpErrorCode } from '../../../worker/protocol/codes.ts';
import { type HttpAnswer, judge, type Rejected, type Verdict } from '../../delivery/post/answer.ts';
import { backoffMs } from '../../shared/backoff.ts';
import { isRejectionCode, PublishError, type PublishErrorCode } from '../errors.ts';
import type { Outcome, Sent } from '../outbox/coalescer.ts';
import type { OutgoingEvent } from '../outbox/outbox.ts';
import { PostPace } from './post-pace.ts';
import { readText } from './read-text.ts';

/**
 * The part of `fetch` that is used, in words that compilers know which have neither the types of the
 * DOM nor generic typed arrays.
 */
export type GatewayPost = (
  url: URL,
  init: {
    readonly method: 'POST';
    readonly headers: Record<string, string>;
    readonly body: Uint8Array & { readonly buffer: ArrayBuffer };
    readonly redirect: 'manual';
    readonly signal: AbortSignal;
  },
) => Promise<{
  readonly status: number;
  readonly headers: { get(name: string): string | null };
  text(): Promise<string>;
}>;

export interface GatewaySenderOptions {
  readonly url: URL;
  readonly post: GatewayPost;
  /** Unix ms. */
  readonly now: () => number;
  readonly random: () => number;
  readonly wait: (ms: number) => Promise<unknown>;
}

/** A Worker that is deployed anew is back within a second or two. */
const MAX_ATTEMPTS = 5;
const BACKOFF = { baseMs: 200, capMs: 2_000 };
/** Longer than the gateway needs for its coldest rooms. */
const ANSWER_TIMEOUT_MS = 10_000;
/** The longest `Retry-After` that is obeyed, in ms, because a caller waits meanwhile. */
const MAX_RETRY_AFTER_MS = 10_000;
/** By then, in ms, a batch is confirmed or has failed, whatever `Retry-After` asks for. */
const DEADLINE_MS = 60_000;
const TOO_MANY = 429;

type Answer =
  | { readonly kind: 'accepted'; readonly rejected: readonly Rejected[] }
  /** Nothing of it was taken. Its halves may be. */
  | { readonly kind: 'split'; readonly error: PublishError }
  | { readonly kind: 'failed'; readonly error: PublishError };

export class GatewaySender {
  readonly #options: GatewaySenderOptions;
  readonly #pace: PostPace;

  constructor(options: GatewaySenderOptions) {
    this.#options = options;
    this.#pace = new PostPace(options.now);
  }

  async send(events: readonly OutgoingEvent[], keys: readonly SigningKey[]): Promise<Sent> {
    const answer = await this.#deliver(encodeBody(events), events.length, keys);
    switch (answer.kind) {
      case 'failed':
        return { outcomes: events.map(() => answer.error), failure: answer.error };
      case 'split': {
        if (events.length === 1) return { outcomes: [answer.error] };
        const middle = Math.ceil(events.length / 2);
        const first = await this.send(events.slice(0, middle), keys);
        const { failure } = first;
        const rest = events.slice(middle);
        const second =
          failure === undefined
            ? await this.send(rest, keys)
            : { outcomes: rest.map(() => failure), failure };
        return {
          outcomes: [...first.outcomes, ...second.outcomes],
          failure: failure ?? second.failure,
        };
      }
      case 'accepted': {
        const outcomes: Outcome[] = events.map(() => undefined);
        for (const { index, code, message } of answer.rejected) {
          outcomes[index] = new PublishError(knownCode(code), message);
        }
        return { outcomes };
      }
    }
  }

  async #deliver(
    body: Uint8Array<ArrayBuffer>,
    records: number,
    keys: readonly SigningKey[],
  ): Promise<Answer> {
    const { now, random, wait } = this.#options;
    const id = randomUUID();
    const startedAt = now();
    let waitMs = 0;
    for (let attempt = 1; ; attempt++) {
      waitMs = Math.max(waitMs, this.#pace.delayMs());
      if (waitMs > 0) await wait(waitMs);
      this.#pace.notePost();
      const answer = await this.#attempt(id, body, keys);
      const verdict: Verdict =
        answer === undefined
          ? { kind: 'retry', reason: 'no_answer' }
          : judge(answer, records, now());
      switch (verdict.kind) {
        case 'accepted':
          return verdict;
        case 'too_large': {
          const error = new PublishError('event_too_large', 'the gateway takes no such size');
          return { kind: 'split', error };
        }
        case 'malformed': {
          const error = new PublishError(knownCode(verdict.code), verdict.message);
          return { kind: 'split', error };
        }
        case 'retry': {
          const { reason, message = '', retryAfterMs = 0 } = verdict;
          const floorMs = Math.min(retryAfterMs, MAX_RETRY_AFTER_MS);
          if (answer?.status === TOO_MANY) this.#pace.slowDown(floorMs);
          waitMs = backoffMs(attempt - 1, BACKOFF, random, floorMs);
          const nextEndsAt = now() + waitMs + ANSWER_TIMEOUT_MS;
          const isLast = attempt === MAX_ATTEMPTS || nextEndsAt > startedAt + DEADLINE_MS;
          const isFinal = isHttpErrorCode(reason) && !HTTP_ERRORS[reason].retry;
          if (!isLast && !isFinal) continue;
          const keepsCode = isFinal || reason === 'batch_too_frequent';
          const error = keepsCode
            ? new PublishError(reason, message)
            : this.#unavailable(attempt, reason);
          return { kind: 'failed', error };
        }
      }
    }
  }

  #unavailable(attempts: number, reason: string): PublishError {
    const { origin, pathname } = this.#options.url;
    const message = `no confirmation of ${origin}${pathname} after ${attempts} attempts: ${reason}`;
    return new PublishError('gateway_unavailable', message);
  }

  /** One attempt; undefined when no whole answer came. */
  async #attempt(
    id: string,
    body: Uint8Array<ArrayBuffer>,
    keys: readonly SigningKey[],
  ): Promise<HttpAnswer | undefined> {
    const { url, post, now } = this.#options;
    const signature = await sign(keys, id, body, Math.floor(now() / 1000));
    const signal = AbortSignal.timeout(ANSWER_TIMEOUT_MS);
    const exchange = async () => {
      const response = await post(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...signature },
        body,
        redirect: 'manual',
        signal,
      });
      return {
        status: response.status,
        retryAfter: response.headers.get('retry-after') ?? undefined,
        body: await readText(response),
      };
    };
    try {
      // A `fetch` of the caller's own may not heed the signal.
      return await Promise.race([exchange(), rejectWith(signal)]);
    } catch {
      return undefined;
    }
  }
}

function rejectWith(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}

/** An event's text is JSON already, and is sent as it was judged. */
function encodeBody(events: readonly OutgoingEvent[]): Uint8Array<ArrayBuffer> {
  const records = events.map(({ topic, text }) => `{"topic":"${topic}","value":${text}}`);
  return new TextEncoder().encode(`{"records":[${records.join()}]}`);
}

/** A gateway newer than this package may have codes that it does not know. */
function knownCode(code: string): PublishErrorCode {
  return isRejectionCode(code) || isHttpErrorCode(code) ? code : 'record_refused';
}
