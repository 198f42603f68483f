/** Where a room's log survives. Two ways, by the policy: `DurableStore` and `MemoryStore`. */
import type { RoomState } from './state.ts';

export interface LogStore {
  /** The room as it was saved, or a new one. */
  readonly state: RoomState;
  /** Saves, or sees to it, in the turn of the append and before any of its frames is sent. */
  appended(now: number): void;
  /** The alarm went off. */
  sweep(now: number): void;
}
