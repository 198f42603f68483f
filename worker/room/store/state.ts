/** What a room must know again when it wakes, beside its entries: it is saved with them, in their row. */
import type { Policy } from '../../policy.ts';
import { Positions, type SavedPosition } from '../intake/positions.ts';
import { type SavedWebhookId, WebhookIds } from '../intake/webhook-ids.ts';
import type { Entry } from '../log/entry.ts';
import { Log } from '../log/log.ts';

export interface SavedState {
  readonly epoch: number;
  readonly head: number;
  readonly floor: number;
  readonly trimmed: number;
  readonly conflatableFrom?: number;
  readonly positions: readonly SavedPosition[];
  readonly webhookIds: readonly SavedWebhookId[];
  /** In-memory rooms: whether entries may have been appended since, which a crash would lose. */
  readonly dirty: boolean;
  /** In-memory rooms: how many slots hold the saved entries. Slots after them are out of date. */
  readonly slots: number;
  /** In-memory rooms: whether the saved entries are the whole log, and not only the latest per key. */
  readonly whole?: boolean;
  /** Durable rooms: when the alarm is set that sweeps expired entries, Unix ms. */
  readonly alarmAt: number | undefined;
}

/** A room's parts that change as it takes batches. */
export interface RoomState {
  readonly log: Log;
  readonly positions: Positions;
  readonly webhookIds: WebhookIds;
}

/** What a store knows of its log when it opens it. */
export interface Opening {
  readonly policy: Policy;
  /** Undefined for a room that was never saved. */
  readonly saved: SavedState | undefined;
  readonly epoch: number;
  readonly floor: number;
  readonly trimmed: number;
  readonly entries: readonly Entry[];
}

/** Rebuilds a room's parts from what was saved of them. */
export function openState({ policy, saved, epoch, floor, trimmed, entries }: Opening): RoomState {
  return {
    log: new Log(policy, {
      epoch,
      head: saved?.head ?? 0,
      floor,
      trimmed,
      conflatableFrom: saved?.conflatableFrom,
      entries,
      isUnbroken: policy.log === 'durable' || saved === undefined,
    }),
    positions: new Positions(saved?.positions),
    webhookIds: new WebhookIds(saved?.webhookIds),
  };
}

/** Whether nothing was ever published to the room that would have to be known again. */
export function isUntouched({ log, positions, webhookIds }: RoomState, now: number): boolean {
  return log.head === 0 && positions.size === 0 && webhookIds.save(now).length === 0;
}

/** The fields of a saved state that only one kind of store has. */
type StoreFields = Partial<Pick<SavedState, 'dirty' | 'slots' | 'whole' | 'alarmAt'>>;

export function encodeState(
  { log, positions, webhookIds }: RoomState,
  now: number,
  { dirty = false, slots = 0, whole = false, alarmAt }: StoreFields = {},
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
    whole,
    alarmAt,
  };
  return JSON.stringify(state);
}

/** The inverse of `encodeState`, for a text that this class of room wrote itself. */
export function decodeState(text: string): SavedState {
  return JSON.parse(text);
}

/** An epoch greater than `previous`, and than that of any log whose storage was wiped before now. */
export function nextEpoch(previous: number, now: number): number {
  return Math.max(previous + 1, now);
}
