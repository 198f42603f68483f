/**
 * What an answer of the Worker means for the batch. It is decided purely, on the status and the code,
 * never on a text. Only the gateway's own code condemns a record or splits a batch. A bare status may
 * come from any server in between: a proxy that has a limit of its own, or a page behind a wrong URL.
 * Whatever is not known to be final is worth another try: a wrong guess that retries is seen on the
 * readiness page, and a wrong guess that gives up loses records.
 */
import * as v from 'valibot';
import { batchAnswerSchema } from '../../../worker/protocol/batch/batch.ts';
import {
  HTTP_ERRORS,
  type HttpErrorCode,
  isHttpErrorCode,
} from '../../../worker/protocol/codes.ts';

/** What came back from one POST. */
export interface HttpAnswer {
  readonly status: number;
  /** The `Retry-After` header as it came. */
  readonly retryAfter: string | undefined;
  readonly body: string;
}

export interface Rejected {
  /** Its place in the batch, from 0. */
  readonly index: number;
  readonly code: string;
  readonly message: string;
}

export type Verdict =
  | { kind: 'accepted'; accepted: number; duplicates: number; rejected: readonly Rejected[] }
  /** The batch is too large as a whole. Its halves may pass. */
  | { kind: 'too_large' }
  /** One record or more spoils the batch. Its halves show which. */
  | { kind: 'malformed'; code: string; message: string }
  /**
   * `reason` is the gateway's code or, where it has stated none, another stable label; `message` is for
   * people; `retryAfterMs` is what the Worker asked for.
   */
  | { kind: 'retry'; reason: string; message?: string; retryAfterMs?: number };

/** The longest `Retry-After` that is obeyed: a mistaken one must not stop the feed for a day. */
const MAX_RETRY_AFTER_MS = 60_000;

// A Worker that is newer than this bridge may reject with codes that it does not know yet, so any
// code is accepted.
const answerSchema = v.object({
  ...batchAnswerSchema.entries,
  rejected: v.array(
    v.object({
      index: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
      code: v.string(),
      message: v.string(),
    }),
  ),
});

const errorSchema = v.object({ error: v.object({ code: v.string(), message: v.string() }) });

/** @param nowMs reads a `Retry-After` that is a date. */
export function judge(answer: HttpAnswer, records: number, nowMs: number): Verdict {
  if (answer.status === 200) return judgeAcceptance(answer.body, records);
  const stated = statedError(answer);
  switch (stated?.code) {
    case 'batch_too_large':
      return { kind: 'too_large' };
    case 'record_malformed':
      return { kind: 'malformed', ...stated };
    default: {
      const retryAfterMs = parseRetryAfter(answer.retryAfter, nowMs);
      return {
        kind: 'retry',
        reason: stated?.code ?? `http_${answer.status}`,
        ...(stated === undefined ? {} : { message: stated.message }),
        ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
      };
    }
  }
}

/**
 * The error that the gateway itself states: one of its codes, with the status of that code. It is
 * undefined for the answer of any other server.
 */
function statedError({
  status,
  body,
}: HttpAnswer): { code: HttpErrorCode; message: string } | undefined {
  const { success, output } = v.safeParse(errorSchema, parseJson(body));
  if (!success) return undefined;
  const { code, message } = output.error;
  if (!isHttpErrorCode(code) || HTTP_ERRORS[code].status !== status) return undefined;
  return { code, message };
}

function judgeAcceptance(body: string, records: number): Verdict {
  const { success, output } = v.safeParse(answerSchema, parseJson(body));
  if (!success) return { kind: 'retry', reason: 'answer_unreadable' };
  const { accepted, duplicates, rejected } = output;
  const indexes = new Set(rejected.map(({ index }) => index));
  const complete =
    accepted + duplicates + rejected.length === records &&
    indexes.size === rejected.length &&
    rejected.every(({ index }) => index < records);
  if (!complete) return { kind: 'retry', reason: 'answer_unreadable' };
  return { kind: 'accepted', accepted, duplicates, rejected };
}

function parseRetryAfter(header: string | undefined, nowMs: number): number | undefined {
  if (header === undefined) return undefined;
  const ms = /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - nowMs;
  return Number.isNaN(ms) ? undefined : Math.min(Math.max(ms, 0), MAX_RETRY_AFTER_MS);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
