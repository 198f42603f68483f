/** No request of anybody ends the bridge: what an HTTP fuzzer would send, over bare TCP. */
import type { AddressInfo } from 'node:net';
import { connect } from 'node:net';
import { Registry } from 'prom-client';
import { expect, onTestFinished, test } from 'vitest';
import { Readiness } from '../../bridge/readiness.ts';
import { startServer } from '../../bridge/server.ts';

async function start(): Promise<number> {
  const ports = { readiness: new Readiness(), registry: new Registry() };
  const server = await startServer('127.0.0.1', 0, ports);
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

/** The first line of what is answered; undefined when the connection is closed without an answer. */
async function send(port: number, request: string): Promise<string | undefined> {
  const socket = connect(port, '127.0.0.1');
  let answer = '';
  socket.setEncoding('latin1');
  socket.on('data', (text: string) => {
    answer += text;
  });
  socket.on('error', () => {});
  // The connection may be reset while the request is written, which is an answer too.
  const closed = new Promise((resolve) => socket.on('close', resolve));
  socket.end(request, 'latin1');
  await closed;
  return answer.split('\r\n')[0] || undefined;
}

const get = (target: string, headers = 'Host: x\r\n') =>
  `GET ${target} HTTP/1.1\r\n${headers}Connection: close\r\n\r\n`;

const REQUESTS: readonly [string, string][] = [
  ['two slashes', get('//')],
  ['three slashes', get('///')],
  ['two slashes and a query', get('//?a=//')],
  ['a broken escape', get('/%')],
  ['another authority', get('//user:pass@[::1')],
  ['an absolute target', get('http://[/health')],
  ['a star', 'OPTIONS * HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'],
  ['a CONNECT', 'CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n'],
  ['bytes that are no UTF-8', get('/\xff\xfe')],
  ['a backslash', get('/\\..\\')],
  ['a very long path', get(`/${'a'.repeat(10_000)}`)],
  ['headers that are too large', get('/', `Host: x\r\nA: ${'a'.repeat(100_000)}\r\n`)],
  ['no host', get('/health', '')],
  ['no HTTP', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'],
  ['half a request', 'GET /hea'],
  ['a wrong length', 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n'],
  ['a wrong chunk', 'POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n'],
  ['an upgrade', get('/', 'Host: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n')],
  ['nothing', ''],
];

test.each(REQUESTS)('%s does not end the bridge', async (_what, request) => {
  const port = await start();
  await send(port, request);
  expect(await send(port, get('/health'))).toBe('HTTP/1.1 200 OK');
});

test('what is not there is answered 404, whatever it is called', async () => {
  const port = await start();
  for (const target of ['//', '/%', '/nothing?a=b', '//health']) {
    expect(await send(port, get(target))).toBe('HTTP/1.1 404 Not Found');
  }
});
