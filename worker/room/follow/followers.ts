/**
 * Who follows a room that this object serves. A follower is a member on another object: a cursor, and a
 * call to give it what comes next. While its cursor is behind, there is one call in flight to it, whose
 * answer says where it stands. Only that is believed, so a call may be lost, repeated or late.
 *
 * A follower is remembered by one row. Where it stands is known in memory only: an object that wakes
 * takes each to stand where all of them stood when it was last idle, and pushes from there. What
 * a follower has already, it drops.
 */
import type { Cursor } from '../../protocol/frames.ts';
import type { Pace } from '../delivery/pace.ts';
import { eventSlices } from '../delivery/slice.ts';
import { encodeTimedEntries } from '../log/entry.ts';
import type { Log } from '../log/log.ts';
import { resumeFrom } from '../log/resume.ts';
import { Call, type CallPorts } from './calls/call.ts';
import { carry } from './calls/carried-log.ts';
import type { FollowAnswer, FollowCall, Objects, PushAnswer, PushCall } from './calls/objects.ts';
import { LargeLogs } from './large-logs.ts';
import type { SavedFollower } from './rows.ts';

/** The least time between two pushes to a follower, in ms. */
const PUSH_INTERVAL = 50;
/** The same for a room whose latest event per key stands for all before it. */
const KEYED_PUSH_INTERVAL = 100;

/** The room as it is served here. */
export interface FollowedChannel {
  readonly room: string;
  readonly log: Log;
  /** Whether the log can be read on from `place`; undefined for all that is kept. */
  serves(place: Cursor | undefined): boolean;
  /** The opposite; and then the log is asked for. */
  lacks(place: Cursor | undefined, now: number): boolean;
}

export interface FollowersPorts extends CallPorts {
  /** The name of this object. */
  readonly object: string;
  readonly channel: FollowedChannel;
  readonly pace: Pace;
  /** How many followers it may have that are no branches; its branches are as many at most. */
  readonly width: number;
  /** A log of more characters is given to few of them at once. */
  readonly largeLog: number;
  /** Whether another object is a branch of the room that follows this one. */
  readonly isBranch: (follower: string) => boolean;
  readonly push: Objects['push'];
  readonly save: (follower: string, saved: SavedFollower) => void;
  readonly forget: (follower: string) => void;
  /** What has to be known after a sleep has changed. */
  readonly changed: (now: number) => void;
}

interface Follower {
  readonly name: string;
  generation: number;
  /** Where it stands; undefined when it has nothing of the log. */
  cursor: Cursor | undefined;
  readonly call: Call;
}

export class Followers {
  readonly #ports: FollowersPorts;
  readonly #followers = new Map<string, Follower>();
  readonly #largeLogs: LargeLogs;
  /** How many of them are no branches. */
  #readers = 0;

  constructor(ports: FollowersPorts) {
    this.#ports = ports;
    this.#largeLogs = new LargeLogs(ports.largeLog);
  }

  get size(): number {
    return this.#followers.size;
  }

  /** How many pushes to one of them have failed in a row, at most. */
  get failures(): number {
    let most = 0;
    for (const { call } of this.#followers.values()) most = Math.max(most, call.failures);
    return most;
  }

  /** Takes note of a follower that was saved, and that is taken to stand at `cursor`. */
  restore(name: string, generation: number, cursor: Cursor | undefined, failures: number): void {
    this.#hold(name, generation, cursor, failures);
  }

  /** Another object asks to follow the room. */
  follow({ follower: name, generation }: FollowCall, now: number): FollowAnswer {
    const { channel, save, changed } = this.#ports;
    const known = this.#followers.get(name);
    if (known !== undefined && generation <= known.generation) {
      return { kind: 'outdated', generation: known.generation };
    }
    if (known === undefined && !this.#hasSpaceFor(name)) return { kind: 'full' };
    const isPushed = channel.lacks(undefined, now) || this.#largeLogs.isLarge(channel.log);
    const log = isPushed ? undefined : carry(channel.log);
    const cursor = log && { epoch: log.epoch, seq: log.head };
    if (known === undefined) {
      this.#hold(name, generation, cursor);
    } else {
      // What is in flight to it is of its older call.
      known.call.giveUp();
      known.generation = generation;
      known.cursor = cursor;
    }
    save(name, { generation, cursor });
    changed(now);
    return { kind: 'followed', log };
  }

  /** Saves where each of them stands, which is not the same place for all. */
  saveAll(): void {
    for (const { name, generation, cursor } of this.#followers.values()) {
      this.#ports.save(name, { generation, cursor });
    }
  }

  /** Takes none of them to have anything, so that each is pushed the log and says whether it wants it. */
  doubt(): void {
    for (const follower of this.#followers.values()) follower.cursor = undefined;
  }

  /** Whether every follower has everything. */
  haveAll(now: number): boolean {
    for (const { cursor } of this.#followers.values()) {
      if (owed(this.#ports.channel.log, cursor, now) !== 'nothing') return false;
    }
    return true;
  }

  /** When `run` is to be called next, Unix ms. */
  dueAt(now: number): number {
    let at = Number.POSITIVE_INFINITY;
    for (const follower of this.#followers.values()) at = Math.min(at, this.#dueAt(follower, now));
    return at;
  }

  /** When the alarm is to go off for those who could not be reached for long, Unix ms. */
  alarmAt(now: number): number {
    let at = Number.POSITIVE_INFINITY;
    const { channel } = this.#ports;
    for (const { call, cursor } of this.#followers.values()) {
      if (call.isInFlight || !call.waitsForAlarm(now) || !channel.serves(cursor)) continue;
      if (owed(channel.log, cursor, now) !== 'nothing') at = Math.min(at, call.notBefore);
    }
    return Math.max(now, at);
  }

  /** Asks for the log if a follower needs more of it than is here. */
  askForLog(now: number): void {
    const { channel } = this.#ports;
    for (const { cursor } of this.#followers.values()) {
      if (owed(channel.log, cursor, now) !== 'nothing' && channel.lacks(cursor, now)) return;
    }
  }

  /** Pushes to each follower what it lacks, as far as it is due. */
  run(now: number): void {
    for (const { call } of this.#followers.values()) call.run(now);
    // A push in the turn of a follower's own call would be a call back and forth.
    const { answers } = this.#ports.present;
    if (answers === 'follow' || answers === 'either') return;
    this.askForLog(now);
    const contents = new Map<string, PushCall['content']>();
    let calls = 0;
    // Whoever has not answered comes last, so that it does not take the place of those who do.
    const inTurn = [...this.#followers.values()].sort((a, b) => a.call.failures - b.call.failures);
    for (const follower of inTurn) {
      if (follower.call.isInFlight || this.#dueAt(follower, now) > now) continue;
      const key = `${follower.cursor?.epoch} ${follower.cursor?.seq}`;
      const content =
        contents.get(key) ?? contentAfter(this.#ports.channel.log, follower.cursor, now);
      contents.set(key, content);
      this.#push(follower, content, now);
      calls++;
    }
    if (calls > 0) this.#ports.pace.spendOnCalls(calls, now);
  }

  #dueAt({ call, cursor }: Follower, now: number): number {
    if (call.isInFlight) return call.deadline;
    const { channel, pace } = this.#ports;
    const owes = owed(channel.log, cursor, now);
    if (owes === 'nothing') return Number.POSITIVE_INFINITY;
    // Then it is pushed to when another push has ended, which is a turn.
    const isLarge = owes === 'log' && this.#largeLogs.isLarge(channel.log);
    if (isLarge && this.#largeLogs.areMost) return Number.POSITIVE_INFINITY;
    // Then it is pushed to when the log is filled, or when the alarm goes off.
    if (!channel.serves(cursor)) return Number.POSITIVE_INFINITY;
    if (call.waitsForAlarm(now)) return Number.POSITIVE_INFINITY;
    return Math.max(call.notBefore, pace.affordableAt);
  }

  #push(follower: Follower, content: PushCall['content'], now: number): void {
    const { present, channel, object, push, changed } = this.#ports;
    const { name, generation, call } = follower;
    const depth = present.depth + 1;
    const interval = channel.log.isKeyed ? KEYED_PUSH_INTERVAL : PUSH_INTERVAL;
    const pushed = { room: channel.room, upstream: object, generation, depth, content };
    const isLarge = content.kind === 'log' && this.#largeLogs.isLarge(channel.log);
    this.#largeLogs.begin(call, isLarge);
    call.begin((signal) => push(name, pushed, signal), now, {
      answered: (answer, later) => {
        call.holdUntil(Math.max(now + interval, later + answer.retryIn));
        this.#answered(follower, answer);
        // It may have lost what this object has given on and forgotten.
        this.askForLog(later);
        changed(later);
      },
      failed: changed,
    });
  }

  /** Only what answers the follower's present call counts. */
  #answered(follower: Follower, { generation, wants, cursor, retryIn }: PushAnswer): void {
    if (generation !== follower.generation) return;
    if (!wants) this.#release(follower);
    else if (retryIn === 0) follower.cursor = cursor;
  }

  #hasSpaceFor(name: string): boolean {
    return this.#ports.isBranch(name) || this.#readers < this.#ports.width;
  }

  #hold(name: string, generation: number, cursor: Cursor | undefined, failures = 0): void {
    const what = { call: 'push', object: this.#ports.object, follower: name };
    const call = new Call(this.#ports, what, failures);
    this.#followers.set(name, { name, generation, cursor, call });
    if (!this.#ports.isBranch(name)) this.#readers++;
  }

  #release({ name }: Follower): void {
    this.#followers.delete(name);
    if (!this.#ports.isBranch(name)) this.#readers--;
    this.#ports.forget(name);
  }
}

/** What a follower at `cursor` is owed: what came after it, or the whole log. */
function owed(log: Log, cursor: Cursor | undefined, now: number): 'nothing' | 'entries' | 'log' {
  // What comes to its age is missed by whoever was not sent it.
  log.expire(now);
  if (cursor === undefined || cursor.epoch < log.epoch) return 'log';
  // Another object may have sent it more than this one has by now.
  if (cursor.epoch > log.epoch || cursor.seq >= log.head) return 'nothing';
  if (resumeFrom(log, cursor).kind === 'gap') return 'log';
  return log.hasAfter(cursor.seq, now) ? 'entries' : 'nothing';
}

function contentAfter(log: Log, cursor: Cursor | undefined, now: number): PushCall['content'] {
  if (cursor !== undefined && owed(log, cursor, now) === 'entries') {
    const [first] = eventSlices(cursor.seq, log.entriesAfter(cursor.seq, now));
    if (first !== undefined) {
      const { after, entries } = first;
      return { kind: 'entries', epoch: log.epoch, after, entries: encodeTimedEntries(entries) };
    }
  }
  return { kind: 'log', log: carry(log) };
}
