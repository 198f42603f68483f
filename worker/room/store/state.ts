/** What a room must know again when it wakes, beside its entries: saved with them, in their row. */

import type { Positions, SavedPosition } from '../intake/positions.ts';
import type { SavedWebhookId, WebhookIds } from '../intake/webhook-ids.ts';
import type { Log } from '../log/log.ts';

export interface SavedState {
  readonly epoch: number;
  readonly head: number;
  readonly floor: number;
  readonly trimmed: number;
  readonly conflatableFrom?: number;
  readonly positions: readonly SavedPosition[];
  readonly webhookIds: readonly SavedWebhookId[];
  /** In-memory rooms: whether entries may have been appended since, that a crash would lose. */
  readonly dirty: boolean;
  /** In-memory rooms: how many slots hold the latest entries. Those after them are of an earlier time. */
  readonly slots: number;
  /** Durable rooms: when the alarm is set that sweeps expired entries, Unix ms. */
  readonly alarmAt: number | undefined;
}

/** A room's parts that change as it takes batches. */
export interface RoomState {
  readonly log: Log;
  readonly positions: Positions;
  readonly webhookIds: WebhookIds;
}

export function encodeState(
  { log, positions, webhookIds }: RoomState,
  now: number,
  {
    dirty = false,
    slots = 0,
    alarmAt,
  }: { dirty?: boolean; slots?: number; alarmAt?: number | undefined } = {},
): string {
  const state: SavedState = {
    epoch: log.epoch,
    head: log.head,
    floor: log.floor,
    trimmed: log.trimmed,
    conflatableFrom: log.conflatableFrom,
    positions: positions.save(),
    webhookIds: webhookIds.save(now),
    dirty,
    slots,
    alarmAt,
  };
  return JSON.stringify(state);
}

/** The inverse of `encodeState`, of a text that this class of room wrote itself. */
export function decodeState(text: string): SavedState {
  return JSON.parse(text);
}

/** An epoch greater than `previous`, and than that of any log whose storage was wiped before now. */
export function nextEpoch(previous: number, now: number): number {
  return Math.max(previous + 1, now);
}
