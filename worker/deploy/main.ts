/**
 * `npm run deploy [-- wrangler's options]`: `wrangler deploy`, with the secrets of the environment
 * if they are set (INGEST_SECRET and JWT_SECRET, or neither if the Worker has them already). The
 * Worker's own rules judge them, so nothing is deployed that the Worker would not run with.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { configOf } from '../config.ts';
import { ConfigError } from '../protocol/environment/variables.ts';

const SECRETS = ['INGEST_SECRET', 'PUBLISHER_SECRET', 'JWT_SECRET'] as const;
const MAKE_SECRETS = `New ones, to be kept, because the bridge and whoever issues tokens need them too:
  export INGEST_SECRET="whsec_$(openssl rand -base64 32)" JWT_SECRET="$(openssl rand -base64 48)"`;

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
  console.error(`Not deployed: ${error.message}.\n${MAKE_SECRETS}`);
  process.exit(1);
}

const folder = mkdtempSync(join(tmpdir(), 'websocket-gateway-'));
process.once('exit', () => rmSync(folder, { recursive: true }));
// The file with the secrets is deleted however this process ends: wrangler is ended first.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => wrangler.kill(signal));
}
const file = join(folder, 'secrets.json');
writeFileSync(file, JSON.stringify(secrets), { mode: 0o600 });
const withSecrets = Object.keys(secrets).length > 0 ? ['--secrets-file', file] : [];
const wrangler = spawn('wrangler', ['deploy', ...withSecrets, ...process.argv.slice(2)], {
  stdio: 'inherit',
});
wrangler.once('exit', (code) => process.exit(code ?? 1));
wrangler.once('error', (error) => {
  console.error(
    `wrangler does not start (${error.message}): run \`npm ci\`, and then \`npm run deploy\`.`,
  );
  process.exit(1);
});
