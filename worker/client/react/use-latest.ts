import { useSyncExternalStore } from 'react';
import type { EventOfRoom, MaxRate } from '../index.ts';
import { type RoomOrNone, useRoomStore } from './use-room-store.ts';

/**
 * The latest event of a room; undefined until there is one. The component renders for a new event
 * only, at most once a frame, and not for the room's status.
 *
 * @example
 * function Price({ symbol }: { symbol: string }) {
 *   return <b>{useLatest(`price:${symbol}`)?.data.price}</b>;
 * }
 */
export function useLatest<Room extends string, Event = EventOfRoom<Room>>(
  room: RoomOrNone<Room>,
  { maxRate }: { readonly maxRate?: MaxRate | undefined } = {},
): Event | undefined {
  const store = useRoomStore<Event>(room, { keep: 1, maxRate });
  return useSyncExternalStore(
    store.listen,
    () => store.state().latest,
    () => store.serverState().latest,
  );
}
