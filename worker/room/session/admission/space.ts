/**
 * How many more rooms a session may subscribe to, while one message is obeyed. Every room may come to need
 * the most that is saved of one, all at once, so it is admitted against the largest attachment that there
 * may be then. That is counted up room by room, because a list has hundreds.
 */
import { SYSTEM_ROOM } from '../../../protocol/rooms.ts';
import {
  bytesPerCharacter,
  HEAD_LENGTH,
  MAX_ATTACHMENT_BYTES,
  SENT_LENGTH,
  SUBSCRIPTION_LENGTH,
} from '../attachment.ts';
import { MOST_SAVED } from '../output/window.ts';
import type { Session } from '../session.ts';

/** What names need in an attachment. */
interface Names {
  /** As JSON, with what stands between them. */
  readonly characters: number;
  /** The longest room's name, as JSON. */
  readonly longestRoom: number;
  readonly bytesPerCharacter: 1 | 2;
  readonly rooms: number;
  /** Without `system`, which is not counted. */
  readonly countedRooms: number;
}

const NONE: Names = {
  characters: 2,
  longestRoom: 0,
  bytesPerCharacter: 1,
  rooms: 0,
  countedRooms: 0,
};

export class Space {
  readonly #most: number;
  #names = NONE;

  constructor({ identity, home, address, profile, subscriptions }: SpaceOf) {
    this.#most = profile.rooms ?? Number.POSITIVE_INFINITY;
    const others = [identity.user, home, address, ...(identity.rooms ?? [])];
    for (const name of others) this.#names = withName(this.#names, name ?? '');
    for (const room of subscriptions.keys()) this.take(room);
  }

  /** The largest attachment that the session may come to have, in bytes. */
  get bytes(): number {
    return bytesOf(this.#names);
  }

  /** Whether the session may have another room. */
  isFor(room: string): boolean {
    const names = withRoom(this.#names, room);
    return names.countedRooms <= this.#most && bytesOf(names) <= MAX_ATTACHMENT_BYTES;
  }

  /** The session has another room. */
  take(room: string): void {
    this.#names = withRoom(this.#names, room);
  }
}

type SpaceOf = Pick<Session, 'identity' | 'home' | 'address' | 'profile'> & {
  readonly subscriptions: Pick<Session['subscriptions'], 'keys'>;
};

function withName(names: Names, name: string): Names {
  return {
    ...names,
    characters: names.characters + JSON.stringify(name).length + 1,
    bytesPerCharacter: bytesPerCharacter(name) === 2 ? 2 : names.bytesPerCharacter,
  };
}

function withRoom(names: Names, room: string): Names {
  return {
    ...withName(names, room),
    longestRoom: Math.max(names.longestRoom, JSON.stringify(room).length),
    rooms: names.rooms + 1,
    countedRooms: names.countedRooms + (room === SYSTEM_ROOM ? 0 : 1),
  };
}

function bytesOf(names: Names): number {
  const inFlight = MOST_SAVED * (SENT_LENGTH + names.longestRoom);
  const characters = names.characters + names.rooms * SUBSCRIPTION_LENGTH + inFlight + HEAD_LENGTH;
  return characters * names.bytesPerCharacter;
}
