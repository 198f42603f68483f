/** The grammar's longest name. A longer one is of no room, and the gateway says so. */
export const MAX_ROOM_LENGTH = 266;
/** How many rooms one message may name. */
export const MAX_LISTED = 256;
/** In an address the case of a digit is but a checksum. */
const ADDRESS = /0x[\da-f]{40,}/gi;

/**
 * What is the same for all forms of a room's name: the gateway calls a room by its normal form,
 * whatever form it was asked for in. The grammar is in `worker/protocol/rooms.ts`.
 */
export function normalForm(room: string): string {
  return room.normalize().replace(ADDRESS, (address) => address.toLowerCase());
}
