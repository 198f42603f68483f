/**
 * Where a room's log survives. The policy chooses between two ways, `DurableStore` and
 * `MemoryStore`; one suite of tests runs on both.
 */
import type { RoomState } from './state.ts';

export interface Store {
  /** The room as it was saved, or a new one. */
  readonly state: RoomState;
  /** When `run` is to be called next, Unix ms; infinite when the store has nothing to do. */
  readonly dueAt: number;
  /** Saves what was appended, or plans to, in the turn of the append and before its frames leave. */
  appended(now: number): void;
  /** Does what is due. */
  run(now: number): void;
  /** Saves at once what is saved when it is idle, and all of the log: the object is about to end. */
  saveAll(now: number): void;
  /** Saves the epoch, even if nothing was appended: another object has been told it. */
  keepEpoch(now: number): void;
  /** All that was saved is gone: the room was never published to, and nobody knows its epoch. */
  cleared(): void;
  /** When an alarm was set for before the object slept, Unix ms; undefined when there was none. */
  readonly alarmAt: number | undefined;
  /** The platform's alarm went off. */
  sweep(now: number): void;
}
