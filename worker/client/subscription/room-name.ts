/** The grammar's longest name. A longer one is of no room, and the gateway says so. */
export const MAX_ROOM_LENGTH = 266;
/** As in `worker/protocol/rooms.ts`: addresses, in which the case of a digit is but a checksum. */
const ADDRESS = /(?<![\p{L}\p{N}])0x[0-9a-f]{40,}(?![\p{L}\p{N}])/giu;

/** The form in which the gateway calls a room, whatever form it was asked for in. */
export function normalForm(room: string): string {
  return room.normalize().replace(ADDRESS, (address) => address.toLowerCase());
}
