/** The Worker's HTTP surface. Every error leaves as a code of the table, and never with a stack. */
import { Hono } from 'hono';
import { cors } from 'hono/cors';
import type { Env } from './env.ts';
import { ConfigError } from './protocol/environment/variables.ts';
import { refuse } from './refusal.ts';
import { connect } from './routes/connect.ts';
import { health } from './routes/health.ts';
import { history } from './routes/history.ts';
import { ingest } from './routes/ingest.ts';
import { page } from './routes/page.ts';
import { relay } from './routes/relay.ts';

export const app = new Hono<{ Bindings: Env }>()
  // Pages of any origin may read rooms: a private room needs a token, and cookies are never read.
  .use('/v1/rooms/*', cors({ origin: '*', exposeHeaders: ['Retry-After'] }))
  .use('/v1/ws', cors({ origin: '*', exposeHeaders: ['Retry-After'] }))
  .route('/health', health)
  .route('/v1/events', ingest)
  .route('/v1/ws', relay)
  .route('/v1/rooms', connect)
  .route('/v1/rooms', history)
  .route('/', page)
  .notFound((c) => refuse(c, 'not_found', 'there is nothing here'))
  .onError((error, c) => {
    if (error instanceof ConfigError) {
      console.error({ event: 'config_invalid', message: error.message });
      return refuse(c, 'config_invalid', error.message);
    }
    console.error({ event: 'internal', error: String(error) });
    return refuse(c, 'internal', 'the gateway failed');
  });
