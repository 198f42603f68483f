import { expect, test } from 'vitest';
import { endingOfClose, isFinal } from '../../worker/client/connection/close-verdict.ts';
import { CLOSE_CODES, HTTP_ERRORS } from '../../worker/protocol/codes.ts';

test('whether a refusal is final can be told by its status, as the table of codes has it', () => {
  for (const [code, { status, retry }] of Object.entries(HTTP_ERRORS)) {
    expect(isFinal(status), code).toBe(!retry && code !== 'upgrade_required');
  }
});

test('whether a close is final can be told by its number, as the table of codes has it', () => {
  for (const [name, { close, retry }] of Object.entries(CLOSE_CODES)) {
    // A token that has ended is final unless there is another.
    const isFinal = !retry || name === 'token_expired';
    expect(endingOfClose(close, name).code, name).toBe(isFinal ? name : undefined);
  }
  expect(endingOfClose(1006, '').code).toBeUndefined();
});
