/** The Worker, with objects that end when they are told to, as the platform ends one: without a word. */
import { app } from '../../../worker/app.ts';
import type { Env } from '../../../worker/env.ts';
import { Room as ProductRoom } from '../../../worker/room/durable-object.ts';

export class Room extends ProductRoom {
  evict(): void {
    this.ctx.abort('evicted by a test');
  }
}

export default {
  async fetch(request, env, context) {
    const { pathname, searchParams } = new URL(request.url);
    if (pathname !== '/evict') return app.fetch(request, env, context);
    const object = env.ROOM.getByName(searchParams.get('object') ?? '') as DurableObjectStub<Room>;
    // The call fails with its object.
    await object.evict().catch(() => {});
    return new Response();
  },
} satisfies ExportedHandler<Env>;
