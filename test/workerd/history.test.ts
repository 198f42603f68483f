import { exports } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';
import { connect, tokenFor } from './support/connect.ts';
import { publish } from './support/publish.ts';

interface Page {
  readonly room: string;
  readonly epoch: number;
  readonly head: number;
  readonly after: number;
  readonly gap?: { readonly from: number; readonly to: number; readonly reason: string };
  readonly events: readonly {
    readonly seq: number;
    readonly event: { data: { tradeId: string } };
  }[];
  readonly next: string;
  readonly more: boolean;
}

async function read(path: string, headers: Record<string, string> = {}): Promise<Response> {
  return exports.default.fetch(`https://gateway.test/v1/rooms/${path}`, { headers });
}

async function page(path: string): Promise<Page> {
  const response = await read(path);
  expect(response.status).toBe(200);
  return response.json();
}

async function code(response: Response): Promise<unknown> {
  const { error }: { error: { code: string } } = await response.json();
  return [response.status, error.code];
}

async function trade(symbol: string, from: number, count: number): Promise<void> {
  const records = Array.from({ length: count }, (_, index) => {
    const n = from + index;
    const data = `{"tradeId":"${n}","price":1.50,"amount":1,"side":"buy"}`;
    const value = `{"type":"trade_notification","symbol":"${symbol}","data":${data},"timestamp":1}`;
    return { topic: 'trade.notifications', offset: n, value };
  });
  await publish(records, `history-${symbol}`);
}

describe('history', () => {
  it('is read page by page, and its last cursor joins a socket on to it (H2)', async () => {
    await trade('PAGES', 0, 5);
    const first = await page('trade:PAGES/events?limit=3');
    expect(first).toMatchObject({ room: 'trade:PAGES', head: 5, after: 0, more: true });
    expect(first.events.map(({ seq }) => seq)).toEqual([1, 2, 3]);
    const second = await page(`trade:PAGES/events?limit=3&after=${first.next}`);
    expect(second.events.map(({ seq }) => seq)).toEqual([4, 5]);
    expect(second).toMatchObject({ more: false, next: `${first.epoch}:5` });
    expect(await page('trade:PAGES/events?after=4')).toMatchObject({ events: [{ seq: 5 }] });
    const client = await connect(`trade:PAGES?since=${first.next}`);
    expect((await client.events(2)).map(({ seq }) => seq)).toEqual([4, 5]);
  });

  it('keeps every digit', async () => {
    await trade('DIGITS', 0, 1);
    expect(await (await read('trade:DIGITS/events')).text()).toContain('"price":1.50,');
  });

  it('says what it cannot give (H2)', async () => {
    for (let from = 0; from < 1_200; from += 400) await trade('GONE', from, 400);
    const trimmed = await page('trade:GONE/events?after=10&limit=1');
    expect(trimmed).toMatchObject({
      gap: { from: 10, to: 200, reason: 'trimmed' },
      events: [{ seq: 201 }],
    });
    const renumbered = await page('trade:GONE/events?after=7:1199&limit=1');
    expect(renumbered).toMatchObject({ gap: { reason: 'epoch' }, events: [{ seq: 201 }] });
  });

  it('of a room that nobody published to is empty', async () => {
    expect(await page('trade:NOTHING/events')).toMatchObject({ head: 0, events: [], more: false });
  });

  it('is for those who may join the room (H1)', async () => {
    expect(await code(await read('user:hist/events'))).toEqual([401, 'token_missing']);
    const other = { Authorization: `Bearer ${await tokenFor('other')}` };
    expect(await code(await read('user:hist/events', other))).toEqual([403, 'room_forbidden']);
    const own = { Authorization: `Bearer ${await tokenFor('hist')}` };
    expect((await read('user:hist/events', own)).status).toBe(200);
  });

  it.each([
    ['after=x', 'cursor_invalid'],
    ['after=-1', 'cursor_invalid'],
    ['limit=0', 'limit_invalid'],
    ['limit=1001', 'limit_invalid'],
    ['limit=1e2', 'limit_invalid'],
  ])('refuses %s as %s (H1)', async (query, expected) => {
    expect(await code(await read(`trade:BAD/events?${query}`))).toEqual([400, expected]);
  });
});
