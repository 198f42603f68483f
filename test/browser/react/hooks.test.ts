/** The React hooks under StrictMode in a real Chromium, against the real Worker. */
import { expect, test } from 'vitest';
import { setHidden } from '../support/background.ts';
import { Gateway } from '../support/gateway.ts';
import { Tab } from './tab.ts';

const gateway = new Gateway();
const COUNT = 1_000;

const range = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, index) => from + index);

test.each(['relay', 'room'])(
  'mounted twice, a component joins its room once (%s)',
  async (transport) => {
    const tab = await Tab.open(gateway, transport);
    const symbol = `ONCE-${transport}`;
    await tab.open({ a: { room: `price:${symbol}` } });
    await gateway.prices(symbol, [1, 2]);
    await tab.priced('a', 2);
    expect(await tab.sockets()).toBe(1);
    // A room's own socket joins it by its address.
    expect(await tab.sent()).toEqual(transport === 'relay' ? [`subscribe price:${symbol}`] : []);
    expect((await tab.notes('a')).heard).toHaveLength(2);
    expect(tab.complaints).toEqual([]);
  },
);

test('1,000 events that come while the page is busy are all heard, and rendered once a frame', async () => {
  const tab = await Tab.open(gateway);
  await tab.open({ a: { room: 'trade:BURST-USDC', keep: 50 }, b: { room: 'trade:BURST-USDC' } });
  const { promise, resolve } = Promise.withResolvers<void>();
  tab.served.hold('/published', promise);
  const blocked = tab.browser.evaluate(() => window.page.block('/published'));
  for (let at = 0; at < COUNT; at += 20) {
    await gateway.trades('BURST-USDC', range(at + 1, at + 21));
  }
  resolve();
  await blocked;
  for (const name of ['a', 'b']) await tab.priced(name, COUNT);
  for (const [name, keep] of [
    ['a', 50],
    ['b', 100],
  ] as const) {
    const { commits, heard, gaps } = await tab.notes(name);
    expect(heard).toHaveLength(COUNT);
    expect(new Set(heard).size).toBe(COUNT);
    expect(gaps).toEqual([]);
    const frames = commits.map(({ frame }) => frame);
    // Both mounts of StrictMode are in the first frame.
    const [first] = frames;
    const later = frames.filter((frame) => frame !== first);
    expect(later).toEqual([...new Set(later)]);
    expect(commits.at(-1)?.state.events).toHaveLength(keep);
    expect(Math.max(...commits.map(({ state }) => state.events.length))).toBe(keep);
  }
});

test('a component that comes and goes faster than its room answers leaves nothing behind', async () => {
  const tab = await Tab.open(gateway);
  const a = { room: 'price:RACE-USDC' };
  await tab.browser.evaluate(async (a) => {
    for (let round = 0; round < 30; round++) {
      window.page.show(round % 2 ? {} : { a });
      await new Promise((resolve) => setTimeout(resolve, round % 5));
    }
  }, a);
  await tab.browser.locator('output', { hasText: 'idle' }).waitFor();
  await tab.browser.waitForFunction(() =>
    window.page.sockets.every(({ readyState }) => readyState === WebSocket.CLOSED),
  );
  await tab.open({ a });
  await gateway.prices('RACE-USDC', [1]);
  await tab.priced('a', 1);
  expect((await tab.notes('a')).heard).toHaveLength(1);
  // The browser itself complains of sockets that were closed before they opened.
  expect(tab.complaints.filter((text) => !text.startsWith('WebSocket connection'))).toEqual([]);
});

test('two components of one room have one subscription, until both are gone', async () => {
  const tab = await Tab.open(gateway);
  const room = 'price:SHARED-USDC';
  await tab.open({ a: { room }, b: { room }, c: { room: 'price:OTHER-USDC' } });
  await gateway.prices('SHARED-USDC', [1]);
  await Promise.all([tab.priced('a', 1), tab.priced('b', 1)]);
  await tab.show({ b: { room }, c: { room: 'price:OTHER-USDC' } });
  await gateway.prices('SHARED-USDC', [2]);
  await tab.priced('b', 2);
  expect((await tab.notes('a')).heard).toHaveLength(1);
  await tab.show({ c: { room: 'price:OTHER-USDC' } });
  await expect.poll(() => tab.sent()).toContain(`unsubscribe ${room}`);
  expect(await tab.sent()).toEqual([`subscribe ${room} price:OTHER-USDC`, `unsubscribe ${room}`]);
  expect(await tab.sockets()).toBe(1);
});

test.each(['relay', 'room'])(
  'a component that takes the place of another keeps the connection (%s)',
  async (transport) => {
    const tab = await Tab.open(gateway, transport);
    const symbol = `PLACE-${transport}`;
    const shown = { room: `price:${symbol}` };
    await tab.open({ a: shown });
    await tab.open({ b: shown });
    await gateway.prices(symbol, [1]);
    await tab.priced('b', 1);
    expect(await tab.sockets()).toBe(1);
    expect(await tab.sent()).not.toContain(`unsubscribe price:${symbol}`);
  },
);

test('another room begins anew over the same socket, and shows nothing of the one before', async () => {
  const tab = await Tab.open(gateway);
  await gateway.prices('ONE-USDC', [1]);
  await gateway.prices('TWO-USDC', [2]);
  await tab.open({ a: { room: 'price:ONE-USDC' } });
  await tab.priced('a', 1);
  await tab.show({ a: { room: 'price:TWO-USDC' } });
  await tab.priced('a', 2);
  await tab.show({ a: { room: null } });
  await tab.becomes('a', 'idle');
  const { commits } = await tab.notes('a');
  const seen = commits.flatMap(({ room, state }) => {
    const { symbol } = Object(state.latest);
    return symbol === undefined ? [] : [`${room} ${symbol}`];
  });
  expect(new Set(seen)).toEqual(new Set(['price:ONE-USDC ONE-USDC', 'price:TWO-USDC TWO-USDC']));
  expect(await tab.sockets()).toBe(1);
});

test('fewer events are kept at once, and more as they come, over the same subscription', async () => {
  const tab = await Tab.open(gateway);
  const room = 'trade:KEEP-USDC';
  await tab.open({ a: { room, keep: 5 } });
  await gateway.trades('KEEP-USDC', range(1, 9));
  await tab.priced('a', 8);
  const kept = async () => (await tab.notes('a')).commits.at(-1)?.state.events.length;
  expect(await kept()).toBe(5);
  await tab.show({ a: { room, keep: 2 } });
  await expect.poll(kept).toBe(2);
  await tab.show({ a: { room, keep: 4 } });
  await gateway.trades('KEEP-USDC', [9]);
  await tab.priced('a', 9);
  expect(await kept()).toBe(3);
  expect(await tab.sent()).toEqual([`subscribe ${room}`]);
});

test('another rate is asked for, and the component goes on from where it was', async () => {
  const tab = await Tab.open(gateway);
  await tab.open({ a: { room: 'trade:RATE-USDC' } });
  await gateway.trades('RATE-USDC', [1]);
  await tab.priced('a', 1);
  await tab.show({ a: { room: 'trade:RATE-USDC', maxRate: 10 } });
  await gateway.trades('RATE-USDC', [2]);
  await tab.priced('a', 2);
  const { commits, heard, gaps } = await tab.notes('a');
  expect(heard).toHaveLength(2);
  expect(gaps).toEqual([]);
  expect(commits.at(-1)?.state.events).toHaveLength(2);
  expect(await tab.sent()).toEqual(['subscribe trade:RATE-USDC', 'subscribe trade:RATE-USDC']);
});

test('a tab in the background keeps what is recent, shows it now and then, and goes on at once', async () => {
  const tab = await Tab.open(gateway);
  await tab.open({ a: { room: 'trade:BACK-USDC', keep: 20 } });
  await gateway.trades('BACK-USDC', [1]);
  await tab.priced('a', 1);
  await setHidden(tab.browser, true);
  const before = (await tab.notes('a')).commits.length;
  for (let at = 0; at < COUNT; at += 100) {
    await gateway.trades('BACK-USDC', range(at + 2, at + 102));
  }
  await tab.priced('a', COUNT + 1);
  const { commits, heard } = await tab.notes('a');
  expect(heard).toHaveLength(COUNT + 1);
  const hidden = commits.slice(before);
  expect(hidden.every(({ state }) => state.events.length <= 20)).toBe(true);
  // No frame was painted: what was committed, a timer has shown.
  expect(new Set(hidden.map(({ frame }) => frame)).size).toBe(1);
  await setHidden(tab.browser, false);
  await gateway.trades('BACK-USDC', [COUNT + 2]);
  await tab.priced('a', COUNT + 2);
});

test('a component that was hidden gets what it missed', async () => {
  const tab = await Tab.open(gateway);
  const other = { room: 'price:OTHER-USDC' };
  const room = 'trade:HIDDEN-USDC';
  await tab.open({ a: { room }, other });
  await gateway.trades('HIDDEN-USDC', [1]);
  await tab.priced('a', 1);
  await tab.show({ a: { room, isHidden: true }, other });
  await expect.poll(() => tab.sent()).toContain(`unsubscribe ${room}`);
  await gateway.trades('HIDDEN-USDC', [2, 3]);
  await tab.show({ a: { room }, other });
  await tab.priced('a', 3);
  const { heard, gaps } = await tab.notes('a');
  expect(heard).toHaveLength(3);
  expect(gaps).toEqual([]);
});

test('a gap is reported, and the state follows', async () => {
  const tab = await Tab.open(gateway);
  await gateway.trades('GAP-USDC', [1, 2]);
  await tab.open({ a: { room: 'trade:GAP-USDC', since: '1:1' } });
  await tab.priced('a', 2);
  const { commits, gaps } = await tab.notes('a');
  expect(gaps).toMatchObject([{ reason: 'epoch', from: 1, room: 'trade:GAP-USDC' }]);
  expect(commits.at(-1)?.state).toMatchObject({ gaps: 1, gap: { reason: 'epoch' } });
  expect(commits.at(-1)?.state.cursor).toEqual({
    epoch: expect.any(Number),
    seq: 2,
  });
});

test('a room that refuses, an invalid cursor and a closed client are reported by their codes', async () => {
  const tab = await Tab.open(gateway);
  const ok = { room: 'price:FINE-USDC' };
  await tab.show({ a: { room: 'user:somebody' }, b: { room: 'price:X-Y', since: 'nonsense' }, ok });
  await tab.becomes('ok', 'open');
  for (const name of ['a', 'b']) await tab.becomes(name, 'stopped');
  const codeOf = async (name: string) => (await tab.notes(name)).commits.at(-1)?.state.status.code;
  expect([await codeOf('a'), await codeOf('b')]).toEqual(['token_missing', 'cursor_invalid']);
  await tab.browser.evaluate(() => window.page.client.close());
  await tab.becomes('ok', 'stopped');
  await tab.show({ late: ok });
  await tab.becomes('late', 'stopped');
  expect([await codeOf('ok'), await codeOf('late')]).toEqual(['closed', 'closed']);
  await tab.browser.locator('output', { hasText: 'stopped' }).waitFor();
});

test('`useLatest` renders for events only', async () => {
  const tab = await Tab.open(gateway);
  await tab.show({ a: { room: 'price:LATEST-USDC' } }, 'price:LATEST-USDC');
  await tab.becomes('a', 'open');
  await gateway.prices('LATEST-USDC', [7]);
  await tab.browser.locator('b', { hasText: '{"price":7}' }).waitFor();
  const latest = await tab.browser.evaluate(() => window.page.latest);
  // The first is committed by both mounts of StrictMode.
  expect(latest.map((event) => Object(event).data?.price)).toEqual([undefined, undefined, 7]);
});
