/** A room's object that cannot be reached: what the platform says of it decides the answer. */

import { runInDurableObject } from 'cloudflare:test';
import { env, exports } from 'cloudflare:workers';
import { describe, expect, it, vi } from 'vitest';
import { callRoom } from '../../worker/room-call.ts';
import { connect } from './support/connect.ts';

describe('a call to an object', () => {
  const failure = (says: object) => Object.assign(new Error('it failed'), says);

  async function attempt(isIdempotent: boolean, ...outcomes: (Error | string)[]) {
    const log = vi.spyOn(console, 'error').mockImplementation(() => {});
    let calls = 0;
    const result = await callRoom({
      room: 'price:X',
      stub: () => outcomes[calls++],
      call: async (outcome) => {
        if (typeof outcome === 'string') return outcome;
        throw outcome;
      },
      isIdempotent,
    });
    const told = log.mock.calls.map(([line]) => line);
    log.mockRestore();
    return { result, calls, told };
  }

  it.each([
    ['fails', { remote: true }, 1, 1],
    ['is overloaded', { overloaded: true, retryable: true }, 1, 5],
    ['cannot be reached', { retryable: true }, 2, 1],
  ])('that %s', async (_what, says, attempts, retryAfter) => {
    const { result, calls, told } = await attempt(true, failure(says), failure(says));
    expect(result).toEqual({ kind: 'failed', retryAfter });
    expect(calls).toBe(attempts);
    expect(told[0]).toMatchObject({ event: 'room_failed', room: 'price:X', ...says });
  });

  it('is made again, with a new stub, when it may be executed twice', async () => {
    const { result, told } = await attempt(true, failure({ retryable: true }), 'done');
    expect([result, told.length]).toEqual(['done', 1]);
  });

  it('is made again when the object has ended itself: what it held has ended with it', async () => {
    const { result, told } = await attempt(false, failure({ durableObjectReset: true }), 'done');
    expect([result, told.length]).toEqual(['done', 1]);
  });

  it('is not made again when it may not be executed twice', async () => {
    expect(await attempt(false, failure({ retryable: true }), 'done')).toMatchObject({ calls: 1 });
  });
});

describe('a room whose object does not start', () => {
  it.each([
    ['an upgrade', 'price:BROKEN', '/v1/rooms/price:BROKEN', { Upgrade: 'websocket' }],
    ['a page of history', 'price:BREAK', '/v1/rooms/price:BREAK/events', {}],
  ])('answers %s with 503', async (_what, room, path, headers) => {
    await connect(room);
    const stub = env.ROOM.getByName(room);
    await runInDurableObject(stub, (_, { storage }) => {
      storage.sql.exec(
        'CREATE TABLE IF NOT EXISTS chunk (slot INTEGER PRIMARY KEY, last INTEGER NOT NULL, entries TEXT NOT NULL, state TEXT NOT NULL)',
      );
      storage.sql.exec("INSERT OR REPLACE INTO chunk VALUES (0, 0, '', 'no JSON')");
    });
    await runInDurableObject(stub, (_, state) => state.abort('crash')).catch(() => undefined);
    const log = vi.spyOn(console, 'error').mockImplementation(() => {});
    const response = await exports.default.fetch(`http://gateway.test${path}`, { headers });
    expect(response.status).toBe(503);
    expect(response.headers.get('Retry-After')).toBe('1');
    expect(await response.json()).toMatchObject({
      error: { code: 'room_unavailable', retry: true },
    });
    expect(log.mock.calls.flat()).toMatchObject([{ event: 'room_failed' }]);
    log.mockRestore();
  });
});
