import { describe, expect, it } from 'vitest';
import { parseCursor } from '../../worker/protocol/frames.ts';

describe('cursors', () => {
  it('are epoch:seq', () => {
    expect(parseCursor('1703123456789:42')).toEqual({ epoch: 1703123456789, seq: 42 });
  });

  it.each([
    '',
    '1',
    ':',
    '1:',
    ':1',
    '1:2:3',
    '-1:2',
    '1.5:2',
    '1e3:2',
    ' 1:2',
    `1:${'9'.repeat(16)}`,
  ])('cannot be read from %j', (text) => {
    expect(parseCursor(text)).toBeUndefined();
  });
});
