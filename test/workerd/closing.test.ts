/** One client that closes at a bad moment must cost nobody else anything. */
import { runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';
import type { Room } from '../../worker/room/durable-object.ts';
import { decodeAttachment } from '../../worker/room/session/attachment.ts';
import { connect, tokenFor } from './support/connect.ts';
import { publish } from './support/publish.ts';

const stubOf = (room: string): DurableObjectStub<Room> => env.ROOM.getByName(room);

let offset = 0;
async function price(symbol: string, value: number): Promise<void> {
  const event = { type: 'price_update', symbol, data: { price: value }, timestamp: 1 };
  await publish([{ topic: 'price.updates', offset: offset++, value: event }], 'closing');
}

describe('a client that closes', () => {
  it('while its message is on the way costs nobody the tail', async () => {
    const here = await connect('price:CLOSE');
    const closing = await connect('price:CLOSE');
    await price('CLOSE', 1);
    for (let i = 0; i < 5; i++) closing.socket.send('no message at all');
    closing.socket.close(1000, 'bye');
    await price('CLOSE', 2);
    expect((await here.events(2)).map(({ seq }) => seq)).toEqual([1, 2]);
    const again = await connect('price:CLOSE');
    expect((await again.received('subscribed'))[0]).toMatchObject({ seq: 2 });
  });

  it('while its token is checked costs nobody the tail', async () => {
    const here = await connect('price:CHECK');
    const closing = await connect('price:CHECK');
    await price('CHECK', 1);
    const token = await tokenFor('user-123');
    closing.socket.send(JSON.stringify({ type: 'auth', token }));
    closing.socket.send(JSON.stringify({ type: 'auth', token: 'bad' }));
    closing.socket.close(1000, 'bye');
    await price('CHECK', 2);
    expect((await here.events(2)).map(({ seq }) => seq)).toEqual([1, 2]);
  });

  it('has a socket on which sending throws, and the object survives the answer', async () => {
    const here = await connect('price:THROWS');
    const closing = await connect('price:THROWS?maxRate=10');
    await price('THROWS', 1);
    await here.events(1);
    await closing.events(1);
    await runInDurableObject(stubOf('price:THROWS'), async (instance: Room, state) => {
      const sockets = state.getWebSockets();
      const rateOf = (held: WebSocket) =>
        decodeAttachment(held.deserializeAttachment())?.subscriptions[0]?.maxRate;
      const socket = sockets.find((held) => rateOf(held) === 10);
      if (socket === undefined) throw new Error('the object holds sockets');
      socket.close(1000, 'closing');
      expect(() => socket.send('x')).toThrow();
      await instance.webSocketMessage(socket, 'no message at all');
    });
    await price('THROWS', 2);
    expect((await here.events(2)).map(({ seq }) => seq)).toEqual([1, 2]);
  });
});
