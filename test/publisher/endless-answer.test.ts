import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { expect, onTestFinished, test } from 'vitest';
import { HttpEventProducer } from '../../bridge/publisher/http/http-event-producer.ts';
import { DEVELOPMENT_PUBLISHER_SECRET } from '../../worker/protocol/environment/development.ts';

const MIB = 1024 * 1024;

test('an answer without an end is an outage, and is not kept in memory', async () => {
  let pulled = 0;
  const server = createServer((_, response) => {
    const endless = new Readable({
      read() {
        pulled += MIB;
        this.push(Buffer.alloc(MIB, ' '));
      },
    });
    response.on('close', () => endless.destroy());
    endless.pipe(response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const producer = new HttpEventProducer({
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    secret: DEVELOPMENT_PUBLISHER_SECRET,
    wait: async () => undefined,
  });
  await producer.connect();
  const event = { type: 'price_update', symbol: 'A', data: { price: 1 }, timestamp: 1 } as const;
  const publishing = producer.publishEvent('price.updates', event);
  await expect(publishing).rejects.toMatchObject({ code: 'gateway_unavailable', retry: true });
  await producer.disconnect();
  // Each of the five attempts may pull what is read and what lies in the buffers of its socket.
  expect(pulled).toBeLessThan(5 * 16 * MIB);
});
