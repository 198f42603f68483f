/**
 * Sends a batch to the gateway, and tries again a few times until it is answered: with exponential
 * backoff and full jitter, at least what `Retry-After` asks for, with the same id and body each time and
 * a new signature. After a 429 all POSTs keep a distance for a while.
 */
import { randomUUID } from 'node:crypto';
import * as v from 'valibot';
import { type SigningKey, sign } from '../../../worker/protocol/signature.ts';
import { type HttpAnswer, judge, type Rejected } from '../../delivery/answer.ts';
import { backoffMs } from '../../shared/backoff.ts';
import {
  isHttpErrorCode,
  isRejectionCode,
  PublishError,
  type PublishErrorCode,
} from '../errors.ts';
import type { Outcome, Sent } from '../outbox/coalescer.ts';
import type { OutgoingEvent } from '../outbox/outbox.ts';
import { PostPace } from './post-pace.ts';

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
const NOT_FOUND = 404;
const TOO_MANY = 429;
/** After these answers, another try would be answered the same. */
const FINAL_STATUSES: readonly number[] = [401, 403, 405];

const errorSchema = v.object({ error: v.object({ code: v.string(), message: v.string() }) });

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
    const { url, now, random, wait } = this.#options;
    const id = randomUUID();
    let waitMs = 0;
    for (let attempt = 1; ; attempt++) {
      waitMs = Math.max(waitMs, this.#pace.delayMs());
      if (waitMs > 0) await wait(waitMs);
      this.#pace.notePost();
      const answer = await this.#attempt(id, body, keys);
      if (answer?.status === NOT_FOUND) {
        // This answer is another server's, because the gateway itself knows this path.
        const error = new PublishError(
          'not_found',
          `there is no gateway at ${url.origin}${url.pathname}`,
        );
        return { kind: 'failed', error };
      }
      if (answer !== undefined && FINAL_STATUSES.includes(answer.status)) {
        const error = statedError(answer.body);
        if (error !== undefined) return { kind: 'failed', error };
      }
      const verdict =
        answer === undefined
          ? ({ kind: 'retry', reason: 'no_answer' } as const)
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
          const asked = 'retryAfterMs' in verdict ? (verdict.retryAfterMs ?? 0) : 0;
          const floorMs = Math.min(asked, MAX_RETRY_AFTER_MS);
          if (answer?.status === TOO_MANY) this.#pace.slowDown(floorMs);
          if (attempt === MAX_ATTEMPTS) {
            const stated = answer?.status === TOO_MANY ? statedError(answer.body) : undefined;
            const message = `no confirmation after ${attempt} attempts: ${verdict.reason}`;
            const error = stated ?? new PublishError('gateway_unavailable', message);
            return { kind: 'failed', error };
          }
          waitMs = backoffMs(attempt - 1, BACKOFF, random, floorMs);
        }
      }
    }
  }

  /** One attempt; undefined when no whole answer came. */
  async #attempt(
    id: string,
    body: Uint8Array<ArrayBuffer>,
    keys: readonly SigningKey[],
  ): Promise<HttpAnswer | undefined> {
    const { url, post, now } = this.#options;
    const signature = await sign(keys, id, body, Math.floor(now() / 1000));
    try {
      const response = await post(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...signature },
        body,
        redirect: 'manual',
        signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS),
      });
      return {
        status: response.status,
        retryAfter: response.headers.get('retry-after') ?? undefined,
        body: await response.text(),
      };
    } catch {
      return undefined;
    }
  }
}

/** An event's text is JSON already, and is sent as it was judged. */
function encodeBody(events: readonly OutgoingEvent[]): Uint8Array<ArrayBuffer> {
  const records = events.map(({ topic, text }) => `{"topic":"${topic}","value":${text}}`);
  return new TextEncoder().encode(`{"records":[${records.join()}]}`);
}

function statedError(body: string): PublishError | undefined {
  let parsed: unknown;
  try {
    parsed = JSON.parse(body);
  } catch {
    return undefined;
  }
  const { success, output } = v.safeParse(errorSchema, parsed);
  if (!success || !isHttpErrorCode(output.error.code)) return undefined;
  return new PublishError(output.error.code, output.error.message);
}

/** A gateway newer than this package may have codes that it does not know. */
function knownCode(code: string): PublishErrorCode {
  return isRejectionCode(code) || isHttpErrorCode(code) ? code : 'record_refused';
}
