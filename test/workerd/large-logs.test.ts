/** What leaves the root of a room whose log is large when many objects ask for it at once. */
import { afterEach, expect, it, vi } from 'vitest';
import { Room } from '../../worker/room/durable-object.ts';
import { LARGE_LOG, LARGE_LOGS_AT_ONCE } from '../../worker/room/follow/large-logs.ts';
import { connect, eventsOf } from './support/connect.ts';
import { publishWithoutKafka } from './support/publish.ts';

const ALERTS = 4;
const SIZE = 100_000;
/** As many as may follow the root. */
const FOLLOWERS = 4;

afterEach(() => {
  vi.restoreAllMocks();
});

/** Sees the calls between objects: how long each answer to `follow` is, and the pushes on their way. */
function watchCalls(): { readonly answers: number[]; readonly large: number[]; most: number } {
  const seen = { answers: [] as number[], large: [] as number[], most: 0 };
  let onTheirWay = 0;
  const { fetch } = Room.prototype;
  vi.spyOn(Room.prototype, 'fetch').mockImplementation(async function (this: Room, request) {
    const { pathname } = new URL(request.url);
    if (pathname === '/push') {
      const body = await request.clone().text();
      const isLarge = body.length > LARGE_LOG;
      if (isLarge) {
        seen.large.push(body.length);
        seen.most = Math.max(seen.most, ++onTheirWay);
      }
      // The others leave meanwhile, if they may.
      await new Promise((resolve) => setTimeout(resolve, 20));
      return fetch.call(this, request).finally(() => {
        if (isLarge) onTheirWay--;
      });
    }
    const response = await fetch.call(this, request);
    if (pathname === '/follow') seen.answers.push((await response.clone().text()).length);
    return response;
  });
  return seen;
}

it('R14: all have it, no answer to `follow` holds it, and two at most are sent it at once', async () => {
  const data = { level: 'info', title: 'large', message: 'm', filler: 'x'.repeat(SIZE) };
  for (let count = 0; count < ALERTS; count++) {
    await publishWithoutKafka('system.alerts', [{ type: 'system_alert', data, timestamp: 1 }]);
  }
  const seen = watchCalls();
  const names = Array.from({ length: FOLLOWERS }, (_, index) => `price:LARGE-${index}`);
  const clients = await Promise.all(names.map((name) => connect(name, undefined, null)));
  for (const client of clients) {
    const ofSystem = () => client.frames.filter(({ room }) => room === 'system').flatMap(eventsOf);
    await expect.poll(() => ofSystem().length).toBe(ALERTS);
  }
  expect(Math.max(...seen.answers)).toBeLessThan(LARGE_LOG);
  expect(seen.large.length).toBe(FOLLOWERS);
  expect(seen.most).toBe(LARGE_LOGS_AT_ONCE);
});
