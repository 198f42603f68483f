/** How checks follow each other, whatever they do. */
import { describe, expect, test } from 'vitest';
import { type Check, check, fine, outcome } from '../../bridge/doctor/check.ts';
import { examine, isHealthy } from '../../bridge/doctor/examine.ts';

const means = { env: {}, now: Date.now, patienceMs: 20 };
const giving = check({
  id: 'first',
  needs: [],
  provides: ['gateway'],
  run: async () => outcome([fine('Well.')], { gateway: true }),
});
const needing = (id: string, needs: Check['needs'], provides: Check['provides'] = []): Check =>
  check({ id, needs, provides, run: async () => outcome([fine('Well.')]) });

describe('a check', () => {
  test('is given what an earlier one has found', async () => {
    const findings = await examine(means, [giving, needing('second', ['gateway'])]);
    expect(findings.map(({ status }) => status)).toEqual(['ok', 'ok']);
    expect(isHealthy(findings)).toBe(true);
  });

  test('that is skipped is not named as the cause: the first failure is', async () => {
    const lacking = check({
      id: 'first',
      needs: [],
      provides: ['gateway'],
      run: async () => outcome([]),
    });
    const findings = await examine(means, [
      lacking,
      needing('second', ['gateway'], ['clock']),
      needing('third', ['clock']),
    ]);
    expect(findings).toEqual([
      { check: 'second', status: 'skipped', because: 'first' },
      { check: 'third', status: 'skipped', because: 'first' },
    ]);
    expect(isHealthy(findings)).toBe(false);
  });

  test('that never ends is given up, and the next one is tried', async () => {
    const stuck = check({ id: 'stuck', needs: [], run: () => new Promise<never>(() => {}) });
    const findings = await examine(means, [stuck, needing('next', [])]);
    expect(findings).toMatchObject([
      { check: 'stuck', status: 'failed', code: 'no_answer', remedy: expect.any(String) },
      { check: 'next', status: 'ok' },
    ]);
  });

  test('that fails on the way says why, and closes what it has opened', async () => {
    let isClosed = false;
    const failing = check({
      id: 'failing',
      needs: [],
      run: async (_, { atEnd }) => {
        atEnd(() => {
          isClosed = true;
        });
        throw Object.assign(new Error('gone'), { code: 'ECONNRESET' });
      },
    });
    const findings = await examine(means, [failing]);
    expect(findings).toMatchObject([{ check: 'failing', status: 'failed', code: 'kafka_closed' }]);
    expect(isClosed).toBe(true);
  });
});
