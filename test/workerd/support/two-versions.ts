/**
 * The Worker of two versions at once, as during a deploy: a request with the header `x-version` is served
 * by a Worker of that version, and the objects run the version that was there before. They leave as soon
 * as they have a turn.
 */
import { app } from '../../../worker/app.ts';
import type { Env } from '../../../worker/env.ts';

export { Room } from '../../../worker/room/durable-object.ts';

Math.random = () => 0;

export default {
  fetch(request, env, context) {
    const timestamp = request.headers.get('x-version');
    const served = timestamp === null ? env : { ...env, VERSION: { timestamp } };
    return app.fetch(request, served, context);
  },
} satisfies ExportedHandler<Env>;
