/** Each way not to reach the gateway, or to be refused by it, has a name and a remedy. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type Server as HttpServer } from 'node:http';
import { type AddressInfo, createServer as createTcpServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer as createTlsServer } from 'node:tls';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { Batcher } from '../../bridge/delivery/batcher.ts';
import { httpPost } from '../../bridge/delivery/post/http-post.ts';
import { Semaphore } from '../../bridge/delivery/post/semaphore.ts';
import { Sender } from '../../bridge/delivery/post/sender.ts';
import { importSigningKey } from '../../bridge/delivery/post/signer.ts';
import { StopController } from '../../bridge/delivery/stop.ts';
import { freePort } from '../../bridge/local/processes/port.ts';
import { type RunningWorker, startWorker } from '../../bridge/local/worker/worker.ts';
import { remedyOf } from '../../bridge/remedies.ts';
import {
  DEVELOPMENT_INGEST_SECRET,
  DEVELOPMENT_PUBLISHER_SECRET,
} from '../../worker/protocol/environment/development.ts';
import { certify, KEYSTORE_PASSWORD } from '../support/certificate.ts';
import { temporaryFolder } from '../support/folder.ts';
import { SECRET } from './fake-worker.ts';
import { PARTITION, records } from './records.ts';

/** What a sender says of its first attempt at `url`; undefined when the batch is taken. */
async function attempt(url: string, secret = DEVELOPMENT_INGEST_SECRET, clockMs = 0) {
  const stop = new StopController();
  const { post, close } = httpPost(new URL('/v1/events', url));
  onTestFinished(close);
  let found: { reason: string; message: string | undefined; remedy: string } | undefined;
  const sender = new Sender({
    keys: [await importSigningKey(secret)],
    permits: new Semaphore(1),
    now: () => Date.now() + clockMs,
    post,
    pause: async () => stop.finish(),
    observer: {
      answered: () => undefined,
      waiting: (_, reason, message) => {
        if (reason === undefined) return;
        found = { reason, message, remedy: remedyOf(reason) ?? '' };
      },
    },
  });
  const { body } = new Batcher('cluster').cut(PARTITION, records(1));
  if (body === undefined) throw new Error('no body');
  await sender.send('lane', body, stop);
  return found;
}

/** The port on which `server` listens until the test ends. */
async function listen(server: Server | HttpServer): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

async function tlsPort(): Promise<number> {
  const { keystore } = await certify(await temporaryFolder());
  return listen(createTlsServer({ pfx: await readFile(keystore), passphrase: KEYSTORE_PASSWORD }));
}

const page = (status: number, location?: string) =>
  createServer((_, response) => {
    if (location !== undefined) response.setHeader('location', location);
    response.writeHead(status).end('<html>');
  });

describe('the gateway', () => {
  test('whose name has no address', async () => {
    expect(await attempt('http://gateway.invalid')).toMatchObject({
      reason: 'gateway_dns_failed',
      message: expect.stringContaining('gateway.invalid'),
      remedy: expect.stringMatching(/WEBSOCKET_GATEWAY_URL.*DNS/),
    });
  });

  test('that does not listen, also on any of two addresses', async () => {
    const port = await freePort();
    for (const host of ['127.0.0.1', 'localhost']) {
      expect(await attempt(`http://${host}:${port}`)).toMatchObject({
        reason: 'gateway_refused',
        message: expect.stringContaining('ECONNREFUSED'),
        remedy: expect.stringContaining('WEBSOCKET_GATEWAY_URL'),
      });
    }
  });

  test('whose certificate nobody trusts', async () => {
    expect(await attempt(`https://localhost:${await tlsPort()}`)).toMatchObject({
      reason: 'gateway_tls_failed',
      remedy: expect.stringContaining('certificate'),
    });
  });

  test('that speaks no TLS to https', async () => {
    const port = await listen(page(200));
    expect(await attempt(`https://127.0.0.1:${port}`)).toMatchObject({
      reason: 'gateway_tls_failed',
      remedy: expect.stringContaining('https://'),
    });
  });

  test('that closes the connection', async () => {
    const port = await listen(createTcpServer((socket) => socket.destroy()));
    expect(await attempt(`http://127.0.0.1:${port}`)).toMatchObject({ reason: 'gateway_closed' });
  });

  test('that is no HTTP', async () => {
    const port = await listen(createTcpServer((socket) => socket.end('SSH-2.0-OpenSSH_9.6\r\n')));
    expect(await attempt(`http://127.0.0.1:${port}`)).toMatchObject({
      reason: 'answer_unreadable',
      remedy: expect.stringContaining('WEBSOCKET_GATEWAY_URL'),
    });
  });

  test('that wants to speak another protocol', async () => {
    const head = 'HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: h2c\r\n\r\n';
    const port = await listen(
      createTcpServer((socket) => socket.once('data', () => socket.write(head))),
    );
    expect(await attempt(`http://127.0.0.1:${port}`)).toMatchObject({
      reason: 'http_101',
      remedy: expect.stringMatching(/not the gateway/),
    });
  });

  test.each([
    [200, 'answer_unreadable', /not the gateway/],
    [301, 'http_301', /not the gateway/],
    [401, 'http_401', /not the gateway/],
    [404, 'http_404', /WEBSOCKET_GATEWAY_URL/],
    [413, 'http_413', /proxy/],
    [502, 'http_502', /before the Worker/],
    [530, 'http_530', /before the Worker/],
  ])('in whose place another server answers %i', async (status, reason, remedy) => {
    const port = await listen(page(status, 'https://elsewhere.example/'));
    expect(await attempt(`http://127.0.0.1:${port}`)).toMatchObject({
      reason,
      remedy: expect.stringMatching(remedy),
    });
  });
});

describe('a real Worker', () => {
  let worker: RunningWorker;
  beforeAll(async () => {
    const stateDir = await mkdtemp(join(tmpdir(), 'gateway-troubles-'));
    worker = await startWorker({ port: await freePort(), stateDir });
    return async () => {
      await worker.stop();
      await rm(stateDir, { recursive: true, force: true, maxRetries: 5 });
    };
  });

  test('takes what is signed as it expects', async () => {
    expect(await attempt(worker.url)).toBeUndefined();
  });

  test('names a wrong secret', async () => {
    expect(await attempt(worker.url, SECRET)).toMatchObject({
      reason: 'signature_invalid',
      remedy: expect.stringMatching(/secret is wrong.*INGEST_SECRET/),
    });
  });

  test("names a publisher's secret", async () => {
    expect(await attempt(worker.url, DEVELOPMENT_PUBLISHER_SECRET)).toMatchObject({
      reason: 'position_forbidden',
      remedy: expect.stringContaining('INGEST_SECRET'),
    });
  });

  test.each([
    [3_600_000, /(3599|3600) s ahead of/],
    [-400_000, /(400|401) s behind/],
  ])('names a clock that is %i ms off, and says how far', async (clockMs, message) => {
    expect(await attempt(worker.url, DEVELOPMENT_INGEST_SECRET, clockMs)).toMatchObject({
      reason: 'signature_stale',
      message: expect.stringMatching(message),
      remedy: expect.stringContaining('NTP'),
    });
  });
});
