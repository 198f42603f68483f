/** Judges what objects keep and say of who follows whom: the bounds, and that all chains end at the root. */
import { nameOfRoom } from '../../../worker/protocol/rooms.ts';
import { parseObjectName, upstreamOfBranch } from '../../../worker/room/follow/branches.ts';
import type { CarriedLog, PushCall } from '../../../worker/room/follow/calls/objects.ts';
import { decodeEntries } from '../../../worker/room/log/entry.ts';
import { promise } from '../violation.ts';
import type { Outgoing } from './network.ts';
import { isFollowed, policyOf, type Settings } from './settings.ts';
import type { SimulatedObject } from './simulated-object.ts';

const SLICE_CHARACTERS = 256 * 1024;
const RECORD_SEPARATOR = '\u001e';

/** How many levels an object is below the root of the followed room, if it is a part of the tree. */
export function levelOf(object: string, width: number): number {
  const upstream = upstreamOfBranch(object, width);
  return upstream === undefined ? 0 : 1 + levelOf(upstream, width);
}

/** The followers of an object are within its bounds, and are its own. */
export function judgeRows(object: SimulatedObject, settings: Settings): void {
  const { name, disk, isRoot, room: own } = object;
  const { width, regions } = settings;
  let readers = 0;
  let branches = 0;
  for (const { room, follower } of disk.follow) {
    if (follower === '') continue;
    promise(room === own && isFollowed(room, settings), () => `${name} has a follower of ${room}`);
    const upstream = upstreamOfBranch(follower, width);
    const isReader = upstream === undefined || settings.relays.includes(follower);
    if (isReader) readers++;
    else branches++;
    promise(isReader || upstream === name, () => `${follower} follows ${name}`);
  }
  const mostBranches = isRoot ? regions.length : width;
  promise(readers <= width, () => `${name} has ${readers} readers`);
  promise(branches <= mostBranches, () => `${name} has ${branches} branches`);
}

/** Who asks whom: each step is one up, so no chain is a circle. */
export function judgeUpstream({ from, to, say }: Outgoing, { width }: Settings): void {
  const { room } = say.call;
  promise(from.name !== room, () => `the root asks ${to}`);
  if (!from.isRoot && from.room === room) {
    const upstream = upstreamOfBranch(from.name, width);
    promise(to === upstream, () => `${from.name} asks ${to}, not ${upstream}`);
    return;
  }
  const asked = parseObjectName(to);
  const isOfTree = asked?.room !== undefined && nameOfRoom(asked.room) === room;
  promise(isOfTree, () => `${from.name} asks ${to}, which is no part of the tree of ${room}`);
  const isNear = asked.branch === undefined || asked.branch.region === from.region;
  promise(isNear, () => `${from.name} asks ${to}, and is in ${from.region}`);
}

/** What is pushed is bounded. */
export function judgeContent({ room, content }: PushCall, settings: Settings): void {
  if (content.kind === 'log') {
    judgeLog(room, content.log, settings);
    return;
  }
  const { entries } = content;
  const isSingle = !entries.includes(RECORD_SEPARATOR);
  promise(entries !== '', () => 'a push of nothing');
  // Beside its text, each entry has some fields.
  const most = SLICE_CHARACTERS * 1.25;
  promise(isSingle || entries.length <= most, () => `a push of ${entries.length} characters`);
}

/** The answer to `follow` is never large. */
export function judgeAnswer(room: string, log: CarriedLog, settings: Settings): void {
  judgeLog(room, log, settings);
  const characters = charactersOf(log);
  const isLarge = characters > settings.largeLog;
  promise(!isLarge, () => `a follower is answered with ${characters} characters`);
}

function judgeLog(room: string, { parts }: CarriedLog, settings: Settings): void {
  const { retention, snapshot } = policyOf(room, settings);
  const count = parts.reduce((sum, part) => sum + countOf(part), 0);
  const most = retention.entries + (snapshot.kind === 'latest' ? retention.keys : 0);
  promise(count <= most, () => `a log of ${count} entries`);
}

/** The texts of a log's entries together. */
export function charactersOf({ parts }: CarriedLog): number {
  return parts.flatMap(decodeEntries).reduce((sum, { text }) => sum + text.length, 0);
}

function countOf(part: string): number {
  return part === '' ? 0 : part.split(RECORD_SEPARATOR).length;
}
