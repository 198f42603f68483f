/** What a socket may do, which `welcome` says: the socket of one room, or of a relay with many. */
import {
  MAX_MESSAGE_LENGTH,
  MAX_RELAY_MESSAGE_LENGTH,
  MAX_ROOMS,
} from '../../protocol/messages.ts';

export interface Profile {
  /** Whether all frames of a turn leave as one message, an array. */
  readonly batches: boolean;
  /** The longest message that is read, in characters. */
  readonly messageLength: number;
  /** How many rooms it may be subscribed to beside `system`; undefined for the one of its object. */
  readonly rooms: number | undefined;
  /** How many messages a client may send at once, each room of a list counted as one. */
  readonly messageBurst: number;
  /** How many messages a second it may send: an ack for each half window would be 2.6 MB/s. */
  readonly messagesPerSecond: number;
}

export const ROOM_SOCKET: Profile = {
  batches: false,
  messageLength: MAX_MESSAGE_LENGTH,
  rooms: undefined,
  // One that joins and acks a backlog needs a few.
  messageBurst: 100,
  messagesPerSecond: 20,
};

export const RELAY_SOCKET: Profile = {
  batches: true,
  messageLength: MAX_RELAY_MESSAGE_LENGTH,
  rooms: MAX_ROOMS,
  // One that comes back asks for all its rooms at once, and once more if it is refused some.
  messageBurst: 100 + 2 * MAX_ROOMS,
  messagesPerSecond: 40,
};
