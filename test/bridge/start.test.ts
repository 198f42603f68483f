/** What the bridge says when it cannot start. */
import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { DEVELOPMENT_INGEST_SECRET } from '../../worker/protocol/environment/development.ts';

const start = (env: Record<string, string>) => {
  const { status, stderr } = spawnSync(process.execPath, ['bridge/main.ts'], {
    env: { ...process.env, INGEST_SECRET: DEVELOPMENT_INGEST_SECRET, BRIDGE_PORT: '0', ...env },
    encoding: 'utf8',
  });
  return { status, lines: stderr.trim().split('\n') };
};

test.each(['gateway.invalid', '203.0.113.1'])('a host %s that is not its own is named', (host) => {
  expect(start({ BRIDGE_HOST: host })).toEqual({
    status: 1,
    lines: [expect.stringMatching(new RegExp(`^BRIDGE_HOST ${host} .*cannot be served`))],
  });
});

test('a variable that cannot be used is named', () => {
  expect(start({ KAFKA_GROUP_ID: ' ' })).toEqual({
    status: 1,
    lines: [expect.stringMatching(/^KAFKA_GROUP_ID /)],
  });
});
