/** `npm run deploy`, as far as it goes without an account. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  DEVELOPMENT_INGEST_SECRET,
  DEVELOPMENT_JWT_SECRET,
} from '../../worker/protocol/environment/development.ts';
import { temporaryFolder } from '../support/folder.ts';
import { until } from '../support/until.ts';

const root = join(import.meta.dirname, '../..');
const INGEST_SECRET = `whsec_${Buffer.from('a secret of the operator’s own').toString('base64')}`;
const JWT_SECRET = 'a secret of the operator’s own, of thirty-two and more';

function deploy(secrets: Record<string, string>): Promise<{ code: number; output: string }> {
  const { INGEST_SECRET: _, JWT_SECRET: __, PUBLISHER_SECRET: ___, ...environment } = process.env;
  const env = {
    ...environment,
    ...secrets,
    WRANGLER_SEND_METRICS: 'false',
    WRANGLER_LOG: 'log',
    NO_COLOR: '1',
  };
  return new Promise((resolve) => {
    const args = ['run', '--silent', 'deploy', '--', '--dry-run'];
    execFile('npm', args, { cwd: root, env }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), output: stdout + stderr });
    });
  });
}

describe('deploying', () => {
  it('builds the Worker with its Durable Object', async () => {
    const { code, output } = await deploy({ INGEST_SECRET, JWT_SECRET });
    expect(output).toContain('env.ROOM (Room)');
    expect(output).toContain('--dry-run: exiting now.');
    expect(code).toBe(0);
  });

  it('leaves no secrets behind when it is ended', async () => {
    const TMPDIR = await temporaryFolder();
    const env = { ...process.env, INGEST_SECRET, JWT_SECRET, TMPDIR };
    const child = spawn(process.execPath, ['worker/deploy/main.ts', '--dry-run'], { env });
    const folders = () =>
      readdirSync(TMPDIR).filter((name) => name.startsWith('websocket-gateway-'));
    const [folder = ''] = await until('the secrets', () => folders().length > 0 && folders());
    await until('the file', () => readdirSync(join(TMPDIR, folder)).length > 0);
    child.kill('SIGTERM');
    await once(child, 'exit');
    expect(folders()).toEqual([]);
  });

  it('leaves the secrets that the Worker has', async () => {
    expect(await deploy({})).toMatchObject({ code: 0 });
  });

  it.each([
    [
      'the development ingest secret',
      { INGEST_SECRET: DEVELOPMENT_INGEST_SECRET, JWT_SECRET },
      'INGEST_SECRET is the public development secret',
    ],
    [
      'it among others',
      { INGEST_SECRET: `${INGEST_SECRET} ${DEVELOPMENT_INGEST_SECRET}`, JWT_SECRET },
      'INGEST_SECRET is the public development secret',
    ],
    [
      'the development JWT secret',
      { INGEST_SECRET, JWT_SECRET: DEVELOPMENT_JWT_SECRET },
      'JWT_SECRET is the public development secret',
    ],
    [
      'a short JWT secret',
      { INGEST_SECRET, JWT_SECRET: 'short' },
      'JWT_SECRET has 32 characters or more, not 5',
    ],
    [
      'an invalid ingest secret',
      { INGEST_SECRET: 'secret', JWT_SECRET },
      'INGEST_SECRET: a secret starts with whsec_',
    ],
    ['one secret without the other', { JWT_SECRET }, 'INGEST_SECRET is missing'],
  ])('is refused with %s', async (_, secrets, message) => {
    const { code, output } = await deploy(secrets);
    expect(output).toContain(`Not deployed: ${message}`);
    expect(output).toContain('openssl rand -base64 32');
    expect(output).not.toContain('dry-run');
    expect(code).toBe(1);
  });
});
