/**
 * An object that is told of a newer version of the Worker leaves, and its frames and its tail come
 * through. The calls here stand for those of the newer Worker; the object comes back with the same code.
 */
import { env } from 'cloudflare:workers';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { STARTING_TIME } from '../../worker/room/departure.ts';
import type { Room } from '../../worker/room/durable-object.ts';
import { VERSION_HEADER, versionOf } from '../../worker/version.ts';
import { type Client, connect, connectRelay } from './support/connect.ts';
import { publish } from './support/publish.ts';

const TIMEOUT_MS = 60_000;
/** What it runs, and what runs after a deploy. */
const OWN = versionOf(env) ?? 0;
const NEWER = OWN + 1;

const stubOf = (object: string): DurableObjectStub<Room> => env.ROOM.getByName(object);
const untilItHasStarted = () => new Promise((resolve) => setTimeout(resolve, STARTING_TIME));
const say = ({ socket }: Client, message: object) => socket.send(JSON.stringify(message));

const price = (symbol: string, value: number) => ({
  topic: 'price.updates',
  offset: value,
  timestamp: 1_700_000_000_000 + value,
  value: { type: 'price_update', symbol, data: { price: value }, timestamp: 1 },
});

/** A newer Worker hands over a socket. */
async function connectFromNewer(object: string): Promise<void> {
  const headers = { Upgrade: 'websocket', [VERSION_HEADER]: String(NEWER) };
  await stubOf(object).fetch('https://room/', { headers });
}

describe('an object that learns of a newer version', () => {
  // It leaves as soon as it has a turn.
  beforeEach(() => vi.spyOn(Math, 'random').mockReturnValue(0));
  afterEach(() => vi.restoreAllMocks());

  it('goes on in its epoch, and its clients miss nothing', { timeout: TIMEOUT_MS }, async () => {
    const client = await connect('price:LEAVES');
    const epoch = (await client.received('subscribed'))[0]?.epoch;
    await untilItHasStarted();
    await publish([price('LEAVES', 1), price('LEAVES', 2)]);
    await client.events(2);
    await stubOf('price:LEAVES').history(undefined, 1, NEWER);
    // The one comes in the last turn of the object, and the other while it ends.
    await publish([price('LEAVES', 3)]);
    await publish([price('LEAVES', 4)]);

    expect(await client.closed).toMatchObject({ code: 4503, reason: 'shutdown' });
    expect(client.frames.at(-1)).toEqual({ type: 'shutdown', retryAfter: 0 });
    const back = await connect(`price:LEAVES?since=${epoch}:1`);
    expect(await back.received('subscribed')).toMatchObject([{ epoch, recovered: true }]);
    expect((await back.events(3)).map(({ seq }) => seq)).toEqual([2, 3, 4]);
  });

  it('is a relay: clients come back to all their rooms', { timeout: TIMEOUT_MS }, async () => {
    const client = await connectRelay();
    say(client, { type: 'subscribe', rooms: [{ room: 'price:RELAYED' }] });
    const epoch = (await client.received('subscribed'))[0]?.epoch;
    await untilItHasStarted();
    await publish([price('RELAYED', 1)]);
    await client.events(1);
    await connectFromNewer('relay home.0');

    expect(await client.closed).toMatchObject({ code: 4503, reason: 'shutdown' });
    expect(client.frames.at(-1)).toEqual({ type: 'shutdown', retryAfter: 0 });
    await publish([price('RELAYED', 2)]);
    const back = await connectRelay();
    say(back, { type: 'subscribe', rooms: [{ room: 'price:RELAYED', since: { epoch, seq: 1 } }] });
    expect(await back.received('subscribed')).toMatchObject([{ epoch, recovered: true }]);
    expect(await back.events(1)).toMatchObject([{ seq: 2 }]);
  });
});

describe('the version of the Worker', () => {
  it('is when it was made, and nothing where there is no binding', () => {
    expect(OWN).toBeGreaterThan(Date.parse('2026-01-01'));
    expect(versionOf({})).toBeUndefined();
    expect(versionOf({ VERSION: { timestamp: '2026-11-26T14:00:00.5Z' } })).toBe(1795701600500);
  });
});
