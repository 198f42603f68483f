/** What a room is told of itself, and what it needs of the platform. */
import type { Identification } from '../auth/token.ts';
import type { Cursor } from '../protocol/frames.ts';
import type { MaxRate } from '../protocol/messages.ts';
import type { RoomName } from '../protocol/rooms.ts';
import type { Symbols } from '../symbols.ts';
import type { Branch } from './follow/branches.ts';
import type { Objects } from './follow/calls/objects.ts';
import type { FollowRows } from './follow/rows.ts';
import type { Timers } from './scheduler.ts';
import type { Attachment } from './session/attachment.ts';
import type { Socket } from './session/output/output.ts';
import type { Identity } from './session/session.ts';
import type { Chunks } from './store/chunks.ts';

/** Which object this is. */
export interface RoomIdentity {
  /** Its name: the room's, and that of its branch unless it is the room's root. */
  readonly object: string;
  /** Undefined for a relay. */
  readonly room: string | undefined;
  readonly name: RoomName | undefined;
  readonly branch: Branch | undefined;
}

/** Who joins, as the Worker has established it. */
export interface Joiner extends Identity {
  readonly since: Cursor | undefined;
  readonly maxRate: MaxRate | undefined;
  /** The path that the client is told to come back to. */
  readonly home?: string | undefined;
  /** The client's network, at a relay; undefined when it is not known. */
  readonly address?: string | undefined;
  /** Whether the client asks for the times of events. */
  readonly isTraced?: boolean | undefined;
  /** Where the client stands in `system`, which every session reads that does not decline it. */
  readonly system: Cursor | 'off' | undefined;
}

/** What a room needs of the platform. */
export interface RoomPorts {
  readonly timers: Timers;
  readonly storage: {
    readonly chunks: Chunks;
    readonly followRows: FollowRows;
    /** Sets the one alarm of the object, Unix ms. */
    readonly setAlarm: (at: number) => void;
    /** Forgets everything, the alarm too. */
    readonly clear: () => void;
  };
  readonly objects: Objects;
  /** Where this object is: a location hint such as `weur`. */
  readonly region: string;
  /** How many branches, and how many other followers, follow one object at most. */
  readonly width: number;
  /** A log of more characters is given to few followers at once. */
  readonly largeLog: number;
  /** The symbols that have rooms. */
  readonly symbols: Pick<Symbols, 'hasRoom'>;
  /** A number from 0 to 1. */
  readonly random: () => number;
  /** The sockets that were held when the object slept; `null` for one that was dismissed. */
  readonly sockets: readonly { readonly socket: Socket; readonly attachment: Attachment | null }[];
  /** When a socket last pinged, Unix ms; undefined for one that never did. */
  readonly lastPing: (socket: Socket) => number | undefined;
  readonly checkToken: (
    token: string,
  ) => Promise<Exclude<Identification, { readonly kind: 'anonymous' }>>;
  /** How many sockets may be held, and how many with those that are closing. */
  readonly maxSockets: { readonly held: number; readonly open: number };
  /** Ends the object, because it has failed. */
  readonly abort: (error: unknown) => void;
  /** Ends the object when all that it has written is kept and all that it has sent has left. */
  readonly leave: () => void;
  /** When the version of the Worker that runs here was made, Unix ms; undefined when that is not known. */
  readonly version: number | undefined;
  /** Tells the operator. */
  readonly warn: (event: Readonly<Record<string, unknown>>) => void;
}
