import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { CLOSE_CODES, HTTP_ERRORS, REJECTION_CODES } from '../../worker/protocol/codes.ts';

const page = readFileSync('worker/protocol/PROTOCOL.md', 'utf8');

describe('PROTOCOL.md', () => {
  it.each([...Object.keys(HTTP_ERRORS), ...REJECTION_CODES, ...Object.keys(CLOSE_CODES)])(
    'says what %s means',
    (code) => {
      expect(page).toContain(`\`${code}\``);
    },
  );

  it.each(Object.values(HTTP_ERRORS).map(({ status }) => status))('names status %i', (status) => {
    expect(page).toMatch(new RegExp(`\\b${status}\\b`));
  });
});
