/**
 * `npm run deploy [-- wrangler's options]`: `wrangler deploy`, with the secrets of the environment
 * when they are there (INGEST_SECRET and JWT_SECRET, or none of them if the Worker has them already).
 * They are held to the same rules as in the Worker, so what it would not run with is not deployed.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigError, configOf } from '../config.ts';

const SECRETS = ['INGEST_SECRET', 'PUBLISHER_SECRET', 'JWT_SECRET'] as const;

const secrets = Object.fromEntries(
  SECRETS.flatMap((name) => {
    const value = process.env[name];
    return value === undefined ? [] : [[name, value]];
  }),
);

try {
  if (Object.keys(secrets).length > 0) await configOf(secrets);
} catch (error) {
  if (!(error instanceof ConfigError)) throw error;
  console.error(`Not deployed: ${error.message}.`);
  process.exit(1);
}

const folder = mkdtempSync(join(tmpdir(), 'websocket-gateway-'));
const file = join(folder, 'secrets.json');
try {
  writeFileSync(file, JSON.stringify(secrets), { mode: 0o600 });
  const withSecrets = Object.keys(secrets).length > 0 ? ['--secrets-file', file] : [];
  const { status } = spawnSync('wrangler', ['deploy', ...withSecrets, ...process.argv.slice(2)], {
    stdio: 'inherit',
  });
  process.exitCode = status ?? 1;
} finally {
  rmSync(folder, { recursive: true });
}
