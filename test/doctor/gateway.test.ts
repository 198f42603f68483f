/** What the doctor says of gateways: a real one in workerd, and what else may stand at its address. */
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { freePort } from '../../bridge/local/processes/port.ts';
import { type RunningWorker, startWorker } from '../../bridge/local/worker/worker.ts';
import {
  DEVELOPMENT_INGEST_SECRET,
  DEVELOPMENT_PUBLISHER_SECRET,
} from '../../worker/protocol/environment/development.ts';
import { diagnose } from './diagnosis.ts';

/** The secret of a Worker that does not have the development one. */
const SECRET = `whsec_${Buffer.alloc(32, 3).toString('base64')}`;
const STRANGE_SECRET = `whsec_${Buffer.alloc(32, 4).toString('base64')}`;
/** Nothing listens there, so that only the gateway is looked at. */
const NO_KAFKA = { KAFKA_BROKERS: '127.0.0.1:1' };

let worker: RunningWorker;

beforeAll(async () => {
  const stateDir = await mkdtemp(join(tmpdir(), 'gateway-doctor-'));
  const bindings = { INGEST_SECRET: `${SECRET} ${DEVELOPMENT_INGEST_SECRET}` };
  worker = await startWorker({ port: await freePort(), stateDir, bindings });
  return async () => {
    await worker.stop();
    await rm(stateDir, { recursive: true, force: true, maxRetries: 5 });
  };
});

const troublesOf = async (
  env: Record<string, string>,
  options: Parameters<typeof diagnose>[1] = {},
) => {
  const diagnosis = await diagnose({ ...NO_KAFKA, ...env }, options);
  const troubles = diagnosis.troubles.filter((trouble) => !trouble.startsWith('kafka.'));
  return { ...diagnosis, troubles };
};
const at = (url: string, secret = SECRET) => ({
  WEBSOCKET_GATEWAY_URL: url,
  INGEST_SECRET: secret,
});

async function listen(server: Server | ReturnType<typeof createServer>): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe('a gateway that accepts the secret', () => {
  test('is healthy, has the same time, and took no event', async () => {
    const { troubles, findings } = await troublesOf(at(worker.url));
    expect(troubles).toEqual([]);
    const ids = ['gateway.reach', 'gateway.clock', 'gateway.signature'];
    expect(findings.filter(({ check }) => ids.includes(check))).toMatchObject(
      ids.map((check) => ({ check, status: 'ok' })),
    );
  });

  test('is distinguished from one that accepts only one of two secrets', async () => {
    const { troubles, said } = await troublesOf(at(worker.url, `${SECRET} ${STRANGE_SECRET}`));
    expect(troubles).toEqual(['gateway.signature: secret_unknown']);
    expect(said('gateway.signature')).toMatch(/secret 2 of 2.*signature_invalid.*rotation/s);
  });
});

describe('a secret', () => {
  test('that the gateway does not know is wrong', async () => {
    const { troubles, said } = await troublesOf(at(worker.url, STRANGE_SECRET));
    expect(troubles).toEqual(['gateway.signature: signature_invalid']);
    expect(said('gateway.signature')).toMatch(/INGEST_SECRET here and INGEST_SECRET of the Worker/);
  });

  test("that is a publisher's is told by the secret and by the gateway", async () => {
    const { troubles, said } = await troublesOf(at(worker.url, DEVELOPMENT_PUBLISHER_SECRET));
    expect(troubles).toEqual([
      'secret: secret_of_publisher',
      'gateway.signature: position_forbidden',
    ]);
    expect(said('gateway.signature')).toMatch(/publisher's\. Set INGEST_SECRET/);
  });

  test('that publishers have too is reported', async () => {
    const { troubles } = await troublesOf({ ...at(worker.url), PUBLISHER_SECRET: SECRET });
    expect(troubles).toEqual(['secret: secret_of_publisher']);
  });

  test.each([
    ['', /INGEST_SECRET is missing/],
    ['c2VjcmV0', /starts with whsec_/],
    ['whsec_%%%', /base64/],
    ['whsec_c2hvcnQ=', /24 to 64 bytes, not 5/],
    [`${SECRET},whsec_%%%`, /number 2/],
  ])('%s cannot be used, and what needs it is skipped', async (secret, message) => {
    const { troubles, skipped, said } = await troublesOf(at(worker.url, secret));
    expect(troubles).toEqual(['variables.secret: secret_unusable']);
    expect(said('variables.secret')).toMatch(message);
    expect(said('variables.secret')).toMatch(/openssl rand -base64 32/);
    const because = 'variables.secret';
    expect(skipped).toMatchObject({ 'gateway.clock': because, 'gateway.signature': because });
  });

  test('of development is reported at an address that is not local', async () => {
    const env = at('http://gateway.invalid', DEVELOPMENT_INGEST_SECRET);
    const { troubles, said } = await troublesOf(env);
    expect(troubles).toEqual(['secret: secret_public', 'gateway.reach: gateway_dns_failed']);
    expect(said('secret')).toMatch(/secret of your own/);
    expect((await troublesOf(at(worker.url, DEVELOPMENT_INGEST_SECRET))).troubles).toEqual([]);
  });
});

describe('the clock', () => {
  test.each([
    [400_000, /ahead of/],
    [-400_000, /behind/],
  ])('that is %i ms ahead is too far off', async (aheadMs, how) => {
    // It is found with a wrong secret, too, because the time is judged first.
    for (const secret of [SECRET, STRANGE_SECRET]) {
      const { troubles, skipped, said } = await troublesOf(at(worker.url, secret), { aheadMs });
      expect(troubles).toEqual(['gateway.clock: signature_stale']);
      expect(said('gateway.clock')).toMatch(how);
      expect(said('gateway.clock')).toMatch(/NTP/);
      expect(skipped['gateway.signature']).toBe('gateway.clock');
    }
  });

  test.each([
    [150_000, /more than 60 s ahead of/],
    [-150_000, /more than 60 s behind/],
  ])('that is %i ms ahead works, and is told', async (aheadMs, how) => {
    const { troubles, said } = await troublesOf(at(worker.url), { aheadMs });
    expect(troubles).toEqual(['gateway.clock: clock_drifts']);
    expect(said('gateway.clock')).toMatch(how);
  });
});

describe('an address', () => {
  const cases: [what: string, url: () => string | Promise<string>, code: string, remedy: RegExp][] =
    [
      [
        'that has no listener',
        () => 'http://127.0.0.1:1',
        'gateway_refused',
        /WEBSOCKET_GATEWAY_URL/,
      ],
      ['without an address', () => 'http://gateway.invalid', 'gateway_dns_failed', /DNS/],
      [
        'with TLS to a gateway without it',
        () => worker.url.replace('http:', 'https:'),
        'gateway_tls_failed',
        /https:\/\//,
      ],
      ['with a path that the Worker has not', () => `${worker.url}/gateway`, 'not_found', /path/],
      [
        'of a page',
        () => listen(createServer((_, response) => response.end('<html>'))),
        'answer_unreadable',
        /not the gateway/,
      ],
      [
        'of another service with a health page',
        () => listen(createServer((_, response) => response.end('{"status":"ok"}'))),
        'answer_unreadable',
        /not the gateway/,
      ],
      [
        'that redirects',
        () => listen(createServer((_, response) => response.writeHead(301).end())),
        'http_301',
        /WEBSOCKET_GATEWAY_URL/,
      ],
      [
        'that says nothing',
        () => listen(createTcpServer((socket) => onTestFinished(() => void socket.destroy()))),
        'no_answer',
        /hangs/,
      ],
      [
        'of another protocol',
        () =>
          listen(
            createTcpServer((socket) => {
              socket.on('error', () => undefined);
              socket.once('data', () => socket.end('SSH-2.0-x\r\n'));
            }),
          ),
        'answer_unreadable',
        /not the gateway/,
      ],
    ];

  test.for(cases)('%s is told, and nothing is signed for it', async ([, url, code, remedy]) => {
    const { troubles, skipped, said } = await troublesOf(at(await url()), { patienceMs: 2_000 });
    expect(troubles).toEqual([`gateway.reach: ${code}`]);
    expect(said('gateway.reach')).toMatch(remedy);
    const because = 'gateway.reach';
    expect(skipped).toMatchObject({ 'gateway.clock': because, 'gateway.signature': because });
  });

  test('that is no URL is a variable that cannot be used', async () => {
    const { troubles } = await troublesOf(at('gateway.example'));
    expect(troubles).toEqual(['variables.gateway: variable_unusable']);
  });

  test('with a password in it is printed without the password', async () => {
    const url = new URL(worker.url);
    url.username = 'user';
    url.password = 'pa55word';
    const { findings } = await troublesOf(at(url.href));
    expect(JSON.stringify(findings)).not.toContain('pa55word');
  });

  test('of a newer gateway is reported', async () => {
    const page = createServer((_, response) => response.end('{"status":"ok","protocol":2}'));
    const { troubles } = await troublesOf(at(await listen(page)));
    expect(troubles).toContain('gateway.reach: protocol_differs');
  });
});
