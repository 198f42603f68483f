import { describe, expect, test } from 'vitest';
import { type HttpAnswer, judge } from '../../bridge/delivery/post/answer.ts';

const NOW = Date.parse('2026-01-01T00:00:00Z');
const answer = (status: number, body: unknown = '', retryAfter?: string): HttpAnswer => ({
  status,
  retryAfter,
  body: typeof body === 'string' ? body : JSON.stringify(body),
});
const rejection = (index: number, code = 'data_invalid') => ({ index, code, message: 'no' });

describe('an answer of 200', () => {
  test('that accounts for every record accepts the batch', () => {
    const body = { accepted: 1, duplicates: 1, rejected: [rejection(2)] };
    expect(judge(answer(200, body), 3, NOW)).toEqual({ kind: 'accepted', ...body });
  });

  test('may reject with a code that this bridge does not know', () => {
    const body = { accepted: 0, duplicates: 0, rejected: [rejection(0, 'code_of_tomorrow')] };
    expect(judge(answer(200, body), 1, NOW)).toMatchObject({ kind: 'accepted' });
  });

  test.each([
    ['<html>', 1],
    [{}, 1],
    [{ accepted: 1, duplicates: 0, rejected: [] }, 2],
    [{ accepted: 1, duplicates: 0, rejected: [rejection(2)] }, 2],
    [{ accepted: 0, duplicates: 0, rejected: [rejection(1), rejection(1)] }, 2],
  ])('that cannot be right is no acceptance: %j of %i', (body, count) => {
    expect(judge(answer(200, body), count, NOW)).toEqual({
      kind: 'retry',
      reason: 'answer_unreadable',
    });
  });
});

describe('another answer', () => {
  test.each([301, 401, 403, 404, 405, 408, 418, 429, 500, 502, 503, 504])(
    '%i is retried',
    (status) => {
      expect(judge(answer(status), 1, NOW)).toEqual({ kind: 'retry', reason: `http_${status}` });
    },
  );

  test.each([
    ['2', 2_000],
    ['Thu, 01 Jan 2026 00:00:05 GMT', 5_000],
    ['Wed, 31 Dec 2025 00:00:00 GMT', 0],
    ['86400', 60_000],
    ['soon', undefined],
  ])('with Retry-After %s asks for %s ms, within reason', (header, retryAfterMs) => {
    const verdict = judge(answer(503, '', header), 1, NOW);
    expect(verdict).toMatchObject({ kind: 'retry' });
    expect('retryAfterMs' in verdict ? verdict.retryAfterMs : undefined).toBe(retryAfterMs);
  });
});
