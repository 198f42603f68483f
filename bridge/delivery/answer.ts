/**
 * What an answer of the Worker means for the batch. It is decided purely, on the status and the code,
 * never on a text. Whatever is not known to be final is worth another try: a wrong guess that retries
 * is seen on the readiness page, and a wrong guess that gives up loses records.
 */
import * as v from 'valibot';
import { batchAnswerSchema } from '../../worker/protocol/batch.ts';
import { HTTP_ERRORS } from '../../worker/protocol/codes.ts';

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
  /** One record or more spoils the batch. Its halves tell which. */
  | { kind: 'malformed'; code: string; message: string }
  /** `reason` is a stable label; `retryAfterMs` is what the Worker asked for. */
  | { kind: 'retry'; reason: string; retryAfterMs?: number };

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
  const { status } = answer;
  if (status === 200) return judgeAcceptance(answer.body, records);
  if (status === 413) return { kind: 'too_large' };
  if (status === 400) return judgeMalformed(answer.body);
  const retryAfterMs = parseRetryAfter(answer.retryAfter, nowMs);
  const reason = `http_${status}`;
  return retryAfterMs === undefined
    ? { kind: 'retry', reason }
    : { kind: 'retry', reason, retryAfterMs };
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

// Only our Worker's own 400 condemns a record. A 400 of any other server means that the URL is wrong,
// and bisecting would then dead-letter the whole feed.
function judgeMalformed(body: string): Verdict {
  const { success, output } = v.safeParse(errorSchema, parseJson(body));
  if (!success || !Object.hasOwn(HTTP_ERRORS, output.error.code)) {
    return { kind: 'retry', reason: 'http_400' };
  }
  return { kind: 'malformed', ...output.error };
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
