/** The Worker's bindings. */
import type { Variables } from './config.ts';
import type { Room } from './room/durable-object.ts';

export interface Env extends Variables {
  readonly ROOM: DurableObjectNamespace<Room>;
  /** Undefined where wrangler.toml binds none. */
  readonly VERSION?: Pick<WorkerVersionMetadata, 'timestamp'>;
  /** What the local stack does for the live page; undefined everywhere else. */
  readonly LOCAL?: Pick<Fetcher, 'fetch'>;
}
