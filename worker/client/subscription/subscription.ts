/** What `GatewayClient.subscribe` takes and gives: a room, until it is left. */
import type { Cursor } from '../../protocol/frames.ts';
import type { MaxRate } from '../../protocol/messages.ts';
import type { ConnectionStatus } from '../connection/connection-state.ts';
import type { EventInfo } from '../events.ts';
import type { Gap } from './reader/cursor.ts';
import type { Received } from './reader/event-buffer.ts';
import type { Since } from './since.ts';

/** What a subscription reports, and to whom. Handlers may be asynchronous; they are not waited for. */
export interface SubscriptionHandlers<Event> {
  /** Each event, in order and once; those of a snapshot too, unless `onSnapshot` takes them. */
  onEvent?(event: Event, info: EventInfo): unknown;
  /** The state at `seq`: at first, and after each gap. */
  onSnapshot?(events: Event[], info: Cursor & { readonly room: string }): unknown;
  /** Something cannot be had any more; a snapshot follows, unless the reason is `overflow`. */
  onGap?(gap: Gap & { readonly room: string }): unknown;
  onStatus?(status: ConnectionStatus): unknown;
}

export interface SubscribeOptions<Event> extends SubscriptionHandlers<Event> {
  /** At most so many frames a second; in between, a price room keeps the latest event per symbol. */
  readonly maxRate?: MaxRate | undefined;
  /**
   * Where to go on from: the `cursor` of an earlier subscription, its numbers also as a bigint or a
   * text, or `epoch:seq` as one text. Without, a snapshot comes first.
   */
  readonly since?: Since | undefined;
  /** Ends the subscription. */
  readonly signal?: AbortSignal;
}

/**
 * A subscription to one room. Its events go to the handlers it was made with, to those of
 * `client.on`, and to a loop over it.
 *
 * A loop begins with the snapshot, or at `since`, whenever it is begun; nothing is kept for a loop that
 * has not begun. With `onEvent` or `onSnapshot` beside it, it gets what comes after its beginning. A
 * loop that is slower than the room falls behind by 5,000 events or 8 million characters of frames at
 * most; then the oldest go, the next event says by its `gap` what is missing, and `onGap` is told
 * once. Leaving the loop ends the subscription. A room that refuses for good makes the loop throw a
 * `GatewayError`.
 *
 * @example
 * for await (const { event, epoch, seq, gap } of client.subscribe('trade:BTC-USDC')) {
 *   if (gap) console.warn(`missing ${gap.from} to ${gap.to}`);
 *   await store(event, { epoch, seq });
 * }
 */
export interface Subscription<Event> {
  readonly room: string;
  /** How the room is doing: as its connection does, and once that is open, as the room itself does. */
  readonly status: ConnectionStatus;
  /**
   * The last event that the handlers were called for, the present one within a handler; undefined before
   * the first snapshot. Keep it, and give it as `since`, to go on from there after a restart. A loop
   * keeps the `epoch` and `seq` of its events instead.
   */
  readonly cursor: Cursor | undefined;
  /** Events that came again, after a reconnect for one, and were dropped. */
  readonly duplicates: number;
  /** Leaves the room: no handler is called any more. The connection closes with its last room. */
  unsubscribe(): void;
  /** `AsyncIterable` would say less: before TypeScript 5.6 it cannot say what a loop ends with. */
  [Symbol.asyncIterator](): AsyncIterator<Received<Event>, undefined>;
}
