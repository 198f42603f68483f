/** A gateway whose operator has named the symbols that it knows (N5). */
import { createExecutionContext } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';
import { app } from '../../worker/app.ts';
import { importSecret, sign } from '../../worker/protocol/batch/signature.ts';
import { DEVELOPMENT_INGEST_SECRET } from '../../worker/protocol/environment/development.ts';
import { body } from './support/publish.ts';

const SYMBOLS = 'KNOWN-A, KNOWN-B-*';

function ask(path: string, init: RequestInit = {}): Response | Promise<Response> {
  const request = new Request(`https://gateway.test/v1/${path}`, init);
  return app.fetch(request, { ...env, SYMBOLS }, createExecutionContext());
}

async function publish(events: readonly { readonly topic: string; readonly value: object }[]) {
  const records = events.map((event, offset) => ({
    ...event,
    partition: 0,
    offset,
    timestamp: Date.now(),
  }));
  const bytes = new TextEncoder().encode(body(records, 'symbols'));
  const headers = await sign([await importSecret(DEVELOPMENT_INGEST_SECRET)], 'symbols', bytes);
  const response = await ask('events', { method: 'POST', headers, body: bytes });
  expect(response.status).toBe(200);
  return response.json();
}

const price = (symbol: string) => ({
  topic: 'price.updates',
  value: { type: 'price_update', symbol, data: { price: 1 }, timestamp: 1 },
});
const book = (symbol: string) => ({
  topic: 'order.book.updates',
  value: { type: 'order_book_update', symbol, data: { bids: [], asks: [] }, timestamp: 1 },
});
const trade = (symbol: string, userId?: string) => ({
  topic: 'trade.notifications',
  value: {
    type: 'trade_notification',
    symbol,
    ...(userId === undefined ? {} : { userId }),
    data: { tradeId: 't', price: 1, amount: 1, side: 'buy' },
    timestamp: 1,
  },
});

describe('a symbol that is not named', () => {
  it('is rejected at ingest, each record by itself', async () => {
    const events = [
      price('KNOWN-A'),
      price('OTHER'),
      book('KNOWN-B-1'),
      book('OTHER'),
      trade('OTHER', 'u'),
      trade('KNOWN-A'),
    ];
    const code = 'symbol_unknown';
    expect(await publish(events)).toMatchObject({
      accepted: 3,
      rejected: [
        { index: 1, code },
        { index: 3, code },
        { index: 4, code },
      ],
    });
  });

  it.each(['price:OTHER', 'orderbook:OTHER', 'trade:OTHER'])('has no room %s', async (room) => {
    for (const path of [`rooms/${room}`, `rooms/${room}/events`]) {
      const response = await ask(path, { headers: { Upgrade: 'websocket' } });
      expect(response.status).toBe(404);
      expect(await response.json()).toMatchObject({
        error: { code: 'symbol_unknown', retry: false },
      });
    }
  });

  it.each(['price:KNOWN-A', 'orderbook:KNOWN-B-2', 'price_updates', 'system'])(
    'leaves others what they were: %s',
    async (room) => {
      expect((await ask(`rooms/${room}/events`)).status).toBe(200);
      const upgraded = await ask(`rooms/${room}`, { headers: { Upgrade: 'websocket' } });
      expect(upgraded.status).toBe(101);
      upgraded.webSocket?.accept();
      upgraded.webSocket?.close();
    },
  );
});
