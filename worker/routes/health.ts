/** GET /health: whether the Worker is configured and serves. */
import { Hono } from 'hono';
import { configOf } from '../config.ts';
import type { Env } from '../env.ts';
import { PROTOCOL_VERSION } from '../protocol/frames.ts';

export const health = new Hono<{ Bindings: Env }>().get('/', async (c) => {
  await configOf(c.env);
  return c.json({ status: 'ok', protocol: PROTOCOL_VERSION });
});
