/** `npm start` shows a living market to whoever connects: a bare WebSocket, real parts in between. */
import { expect, onTestFinished, test } from 'vitest';
import { demoToken } from '../../bridge/local/demo-token.ts';
import { DEVELOPMENT_JWT_SECRET } from '../../worker/protocol/environment/development.ts';
import { temporaryFolder } from '../support/folder.ts';
import { descendantsOf } from '../support/processes.ts';
import { gone, StartedStack, stackEnv } from '../support/stack.ts';
import { until } from '../support/until.ts';

const STOPS_WITHIN_MS = 10_000;
const MAIN = [process.execPath, 'bridge/local/main.ts'] as const;
const FEED_COMMAND = 'bridge/local/market/main.ts';

/** All that comes over a bare WebSocket on `room`, until the test has finished. */
function watch(port: string, room: string, token?: string): string[] {
  const frames: string[] = [];
  const socket = new WebSocket(
    `ws://127.0.0.1:${port}/v1/rooms/${room}?system=off`,
    token === undefined ? [] : ['gateway.v1', `bearer.${token}`],
  );
  socket.onmessage = ({ data }) => frames.push(String(data));
  onTestFinished(() => socket.close());
  return frames;
}

/** How many events of `type` came after the snapshot. */
function live(frames: readonly string[], type: string): number {
  const events = frames.filter((frame) => frame.includes('"type":"events"'));
  return events.join().split(`"type":"${type}"`).length - 1;
}

test('prices, books, trades, alerts and a portfolio come by themselves, and go on after a kill', async () => {
  const env = await stackEnv(await temporaryFolder());
  const stack = new StartedStack({ ...env, FEED: 'on', FEED_SPEED: '10' }, MAIN);
  onTestFinished(() => stack.signal('SIGKILL', 'process'));
  await stack.live();
  expect(stack.output).toMatch(/^feed {4}12 pairs, 4 users, about 500 events\/s$/m);

  const token = await demoToken(DEVELOPMENT_JWT_SECRET);
  const rooms = {
    price_update: watch(env.PORT, 'price:PEPE-USDC'),
    order_book_update: watch(env.PORT, 'orderbook:BTC-USDC'),
    trade_notification: watch(env.PORT, 'trade:ETH-USDC'),
    system_alert: watch(env.PORT, 'system'),
  };
  const user = watch(env.PORT, 'user:user-123', token);
  for (const [type, frames] of Object.entries(rooms)) {
    await until(type, () => live(frames, type) >= 2);
  }
  await until('his portfolio', () => live(user, 'portfolio_update') >= 2);
  await until('a trade of his own', () => live(user, 'trade_notification') >= 1);
  expect(user.join()).toContain('"txHash":"0x');
  expect(rooms.trade_notification.join()).not.toMatch(/userId|txHash|fees/);

  const feed = descendantsOf(stack.pid).find(({ command }) => command.includes(FEED_COMMAND));
  process.kill(feed?.pid ?? expect.unreachable('the feed runs'), 'SIGKILL');
  await until('the feed is started again', () => stack.output.includes('The feed ended (SIGKILL)'));
  const seen = live(rooms.order_book_update, 'order_book_update');
  await until('it goes on', () => live(rooms.order_book_update, 'order_book_update') > seen + 20);

  const processes = [stack.pid, ...descendantsOf(stack.pid).map(({ pid }) => pid)];
  stack.signal('SIGINT', 'group');
  expect(await stack.exited).toEqual({ code: 0, signal: null });
  await gone(processes, STOPS_WITHIN_MS);
});
