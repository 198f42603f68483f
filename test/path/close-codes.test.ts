/** Peers close with any code. Each is answered, so that no client waits, and nothing throws. */
import { expect, onTestFinished, test } from 'vitest';
import { freePort } from '../../bridge/local/processes/port.ts';
import { startWorker } from '../../bridge/local/worker/worker.ts';
import { temporaryFolder } from '../support/folder.ts';
import { RawWebSocket } from '../support/raw-websocket.ts';
import { until } from '../support/until.ts';
import { listen, post } from '../support/worker.ts';

const CODES = [
  0, 999, 1000, 1001, 1003, 1004, 1005, 1006, 1011, 1015, 1016, 2999, 3000, 4413, 4999, 5000, 5001,
  65_535,
];

test('every close frame is answered, and none costs the room anything', async () => {
  const log: string[] = [];
  const worker = await startWorker({
    port: await freePort(),
    stateDir: await temporaryFolder(),
    log: (line) => log.push(line),
  });
  onTestFinished(() => worker.stop());
  const room = 'price:CLOSE';
  const frames = listen(worker.url, room);
  await until('it listens', () => frames.some((frame) => frame.includes('"snapshot"')));

  const payloads = [Buffer.alloc(0), Buffer.alloc(1), ...CODES.map(codeOnly)];
  const endings = await Promise.all(payloads.map((payload) => closeWith(payload)));
  expect(endings.filter((how) => how === 'silent')).toEqual([]);

  const value = '{"type":"price_update","symbol":"CLOSE","data":{"price":1},"timestamp":1}';
  expect((await post(worker.url, [{ topic: 'price.updates', offset: 1, value }])).status).toBe(200);
  await until('it hears on', () => frames.some((frame) => frame.includes('"seq":1,"event"')));
  expect(log).toEqual([]);

  /** How the server ends the connection. */
  async function closeWith(payload: Buffer): Promise<string> {
    const { promise, resolve } = Promise.withResolvers<string>();
    const address = `${worker.url.replace('http', 'ws')}/v1/rooms/${room}?system=off`;
    const socket = await RawWebSocket.open(address, { text: () => {}, ended: resolve });
    onTestFinished(() => socket.cut());
    socket.close(payload);
    const silent = setTimeout(() => resolve('silent'), 8_000);
    return promise.finally(() => clearTimeout(silent));
  }
});

function codeOnly(code: number): Buffer {
  const payload = Buffer.alloc(2);
  payload.writeUInt16BE(code);
  return payload;
}
