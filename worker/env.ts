/** The Worker's bindings. */
import type { Variables } from './config.ts';
import type { Room } from './room/room.ts';

export interface Env extends Variables {
  readonly ROOM: DurableObjectNamespace<Room>;
}
