/** The store of a component's room: the same one for as long as client and room are the same. */
import { useEffect, useMemo } from 'react';
import { useGateway } from './provider.ts';
import { RoomStore, type Wishes } from './room-store.ts';

/** A component may not yet know its room, for example before a login. */
export type RoomOrNone<Room extends string> = Room | null | undefined;

export function useRoomStore<Event>(
  room: RoomOrNone<string>,
  wishes: Wishes<Event>,
): RoomStore<Event> {
  const { client, frames } = useGateway();
  const store = useMemo(
    () => new RoomStore<Event>({ client, frames, room: room ?? undefined }),
    [client, frames, room],
  );
  // It comes before the effect that subscribes, which reads the wishes.
  useEffect(() => {
    store.wish(wishes);
  });
  return store;
}
