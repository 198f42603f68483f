import { useSyncExternalStore } from 'react';
import type { EventInfo, EventOfRoom, Gap, MaxRate, Since } from '../index.ts';
import type { RoomState } from './room-store.ts';
import { type RoomOrNone, useRoomStore } from './use-room-store.ts';

/** How many events a component keeps unless it says so: more than fit on a screen. */
const KEPT_EVENTS = 100;

export interface UseRoomOptions<Event> {
  /** How many events `events` has at most; 100 unless given. */
  readonly keep?: number;
  /** At most so many frames a second from the gateway. Another rate subscribes anew, from where it was. */
  readonly maxRate?: MaxRate | undefined;
  /** Where to begin, read when the room is joined: a `cursor` that was kept. */
  readonly since?: Since | undefined;
  /** Each event as it comes, in order and once, without a render: for a chart, for example. */
  onEvent?(event: Event, info: EventInfo): unknown;
  /** Something cannot be had any more; the room's state follows. */
  onGap?(gap: Gap & { readonly room: string }): unknown;
}

/**
 * Subscribes to a room while the component is mounted, and renders at most once a frame. Without a
 * room it does nothing. Handlers may be new ones at each render.
 *
 * @example
 * function Tape({ symbol }: { symbol: string }) {
 *   const { events, status, gaps } = useRoom(`trade:${symbol}`, { keep: 50 });
 *   if (status.state === 'stopped') return <p>{status.reason}</p>;
 *   return <ol>{events.map(({ epoch, seq, event }) => <li key={`${epoch}:${seq}`}>{event.data.price}</li>)}</ol>;
 * }
 */
export function useRoom<Room extends string, Event = EventOfRoom<Room>>(
  room: RoomOrNone<Room>,
  options: UseRoomOptions<Event> = {},
): RoomState<Event> {
  const { keep = KEPT_EVENTS } = options;
  const store = useRoomStore<Event>(room, { ...options, keep });
  return useSyncExternalStore(store.listen, store.state, store.serverState);
}
