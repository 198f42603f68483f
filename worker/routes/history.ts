/**
 * GET /v1/rooms/{room}/events?after=epoch:seq&limit=N: a page of the room's log, oldest first, for
 * whoever may join the room. `next` is the cursor of the page after, or of a socket's `since`.
 */
import { Hono } from 'hono';
import type { Env } from '../env.ts';
import { parseCursor } from '../protocol/frames.ts';
import { refuse, refuseUnavailable } from '../refusal.ts';
import type { Place } from '../room/log/resume.ts';
import { versionOf } from '../version.ts';
import { admitReader } from './reader.ts';

const DEFAULT_LIMIT = 100;
const MAX_LIMIT = 1_000;

export const history = new Hono<{ Bindings: Env }>().get('/:room/events', async (c) => {
  const reader = await admitReader(c, c.req.param('room'));
  if (reader.kind === 'refused') return refuse(c, reader.code, reader.message);
  const { after, limit = String(DEFAULT_LIMIT) } = c.req.query();
  const start = after === undefined ? undefined : parseStart(after);
  if (after !== undefined && start === undefined) {
    return refuse(c, 'cursor_invalid', 'after is epoch:seq, or seq');
  }
  const count = /^\d{1,4}$/.test(limit) ? Number(limit) : 0;
  if (count < 1 || count > MAX_LIMIT) {
    return refuse(c, 'limit_invalid', `limit is a whole number from 1 to ${MAX_LIMIT}`);
  }
  const page = await reader.call((room) => room.history(start, count, versionOf(c.env)));
  if (typeof page !== 'string') return refuseUnavailable(c, page);
  return c.body(page, 200, { 'Content-Type': 'application/json', 'Cache-Control': 'no-store' });
});

function parseStart(text: string): Place | undefined {
  const cursor = parseCursor(text);
  if (cursor !== undefined) return cursor;
  return /^\d{1,15}$/.test(text) ? { epoch: undefined, seq: Number(text) } : undefined;
}
