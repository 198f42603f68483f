/**
 * The topology, which names alone define. The branches of a room in a region are numbered like a heap: branch
 * 0 follows the room's root, and branch n follows branch ⌊(n − 1) / width⌋. So every branch knows its
 * upstream from its own name, every upstream has space for its branches, and nothing is registered.
 *
 * An object that is no branch of the room, such as one that holds sockets, follows whichever of them has
 * space. It asks the root first, and whoever is full sends it one level down, to the branch that its own
 * name chooses there. So a region grows as many branches as it needs, evenly.
 */
import { parseRoomName, RELAY, type RoomName } from '../../protocol/rooms.ts';

/** A branch of a room, which serves it in a region, or a relay there. */
export interface Branch {
  /** A location hint such as `weur`, or `home` where none is configured. */
  readonly region: string;
  readonly number: number;
}

/** What an object is called by: its room, and its branch unless it is the room's root. A relay has no room. */
export interface ObjectName {
  readonly room: RoomName | undefined;
  readonly branch: Branch | undefined;
}

/** A branch's region and number, after a blank, which no room's name holds. */
const BRANCH_PATTERN = /^([^ ]+) ([a-z-]+)\.(0|[1-9][0-9]{0,8})$/;

/** What an object of this name serves; undefined when no object is called that. */
export function parseObjectName(name: string): ObjectName | undefined {
  const branch = matchBranch(name);
  if (branch?.room === RELAY) return { room: undefined, branch };
  const room = parseRoomName(branch?.room ?? name);
  return room && { room, branch };
}

function matchBranch(name: string): (Branch & { readonly room: string }) | undefined {
  const match = BRANCH_PATTERN.exec(name);
  if (match === null) return undefined;
  const [, room = '', region = '', number = ''] = match;
  return { room, region, number: Number(number) };
}

export function nameOfBranch(room: string, { region, number }: Branch): string {
  return `${room} ${region}.${number}`;
}

/** The object that a branch of this name follows; undefined for the name of what is no branch. */
export function upstreamOfBranch(name: string, width: number): string | undefined {
  const { room, region, number } = matchBranch(name) ?? {};
  if (room === undefined || region === undefined || number === undefined) return undefined;
  if (number === 0) return room;
  return nameOfBranch(room, { region, number: Math.floor((number - 1) / width) });
}

/** Where a follower that is no branch asks: `level` levels below the root, in its `round`-th search. */
export interface Step {
  readonly level: number;
  readonly round: number;
}

/** The object that a follower asks which is no branch of `room`. Each search takes another way down. */
export function upstreamAtStep(
  room: string,
  region: string,
  follower: string,
  { level, round }: Step,
  width: number,
): string {
  if (level === 0) return room;
  let number = 0;
  for (let below = 1; below < level; below++) {
    number = number * width + 1 + (hash(`${round} ${below} ${follower}`) % width);
  }
  return nameOfBranch(room, { region, number });
}

/**
 * FNV-1a, and the last steps of MurmurHash3, without which the low bits of similar names are alike. It
 * only has to spread names evenly, and to be the same in every object and version.
 */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) {
    value = Math.imul(value ^ text.charCodeAt(index), 0x01000193);
  }
  value = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
  return (value ^ (value >>> 16)) >>> 0;
}
