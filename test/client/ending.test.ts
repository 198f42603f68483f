import { expect, test } from 'vitest';
import { endingOfClose } from '../../worker/client/connection/close-verdict.ts';
import { CLOSE_CODES } from '../../worker/protocol/codes.ts';

test('whether a close is final can be told by its number, as the table of codes has it', () => {
  for (const [name, { close, retry }] of Object.entries(CLOSE_CODES)) {
    // A token that has ended is final unless there is another.
    const isFinal = !retry || name === 'token_expired';
    expect(endingOfClose(close, name).code, name).toBe(isFinal ? name : undefined);
  }
  expect(endingOfClose(1006, '').code).toBeUndefined();
});
