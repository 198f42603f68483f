/**
 * A room as this object serves it, in the tree of the room: its channel, whom it follows and who follows
 * it. The room's own object follows nobody. What has to be known after a sleep is saved when it is idle.
 */
import type { Policy } from '../../policy.ts';
import type { Cursor } from '../../protocol/frames.ts';
import { Channel, type SharedDelivery } from '../channel.ts';
import type { Log } from '../log/log.ts';
import { upstreamOfBranch } from './branches.ts';
import type { CallPorts } from './calls/call.ts';
import { nothingAfter } from './calls/carried-log.ts';
import {
  declines,
  type FollowAnswer,
  type FollowCall,
  type Objects,
  type PushAnswer,
  type PushCall,
} from './calls/objects.ts';
import { Followers, type FollowersPorts } from './followers.ts';
import { Mirror } from './mirror.ts';
import { NodeAlarm } from './node-alarm.ts';
import type { FollowRows, SavedChannel, SavedNode } from './rows.ts';
import type { UpstreamPorts } from './upstream.ts';

/** What a node reports of itself. */
export interface NodeOwner {
  /** What a mirror holds has grown or shrunk, in characters. */
  readonly resized: (by: number) => void;
  /** The last reader of a room has left. */
  readonly deserted: (room: string) => void;
  /** Something of a node has changed, so that something may be due. */
  readonly touched: (node: TreeNode) => void;
  /** What has to be known of a node after a sleep has changed. */
  readonly changed: (node: TreeNode, now: number) => void;
}

/** What the nodes of an object share. */
export interface TreePorts
  extends CallPorts,
    NodeOwner,
    Pick<FollowersPorts, 'object' | 'width' | 'largeLog'> {
  readonly shared: SharedDelivery;
  readonly rows: FollowRows;
  /** Whether the object went to sleep after all was saved, and did not crash, as far as it can know. */
  readonly hasSlept: boolean;
  /** Nothing has to be known of a room any more. */
  readonly forget: (room: string) => void;
  readonly objects: Objects;
}

/** A room's own log, or the objects to ask for it. */
export type LogOrigin = { readonly log: Log } | Pick<UpstreamPorts, 'upstreamAt'>;

export class TreeNode {
  readonly channel: Channel;
  readonly #followers: Followers;
  readonly #mirror: Mirror | undefined;
  readonly #ports: TreePorts;
  #told: Cursor | undefined;
  readonly #alarm: NodeAlarm;
  /** Whether a mirror that others follow has grown since it was saved. */
  #isDirty: boolean;
  /** What the mirror holds, as it was reported last, in characters. */
  #size = 0;

  constructor(
    ports: TreePorts,
    room: string,
    policy: Policy,
    origin: LogOrigin,
    saved: SavedNode | undefined,
  ) {
    const { object, shared, rows, objects, width } = ports;
    const changed = (now: number) => ports.changed(this, now);
    const touched = () => ports.touched(this);
    const turn: TreePorts['turn'] = (act, depth) =>
      ports.turn((now) => {
        touched();
        act(now);
      }, depth);
    if ('log' in origin) {
      this.channel = new Channel(room, origin.log, policy, shared, touched);
    } else {
      const mirrorPorts = {
        ...ports,
        turn,
        touched,
        room,
        upstreamAt: origin.upstreamAt,
        follow: objects.follow,
        isWanted: () => this.isWanted,
        grown: (now: number) => this.grown(now),
        deserted: () => ports.deserted(room),
        changed,
        left: (now: number) => this.save(now),
      };
      this.#mirror = new Mirror(policy, shared, mirrorPorts, saved?.channel);
      this.channel = this.#mirror.channel;
    }
    this.#followers = new Followers({
      ...ports,
      turn,
      channel: this.channel,
      pace: shared.pace,
      isBranch: (follower) => upstreamOfBranch(follower, width) === object,
      push: objects.push,
      save: (follower, state) => rows.put({ room, follower, value: JSON.stringify(state) }),
      forget: (follower) => rows.remove(room, follower),
      changed,
    });
    this.#alarm = new NodeAlarm(this.channel, this.#followers, this.#mirror);
    this.#ports = ports;
    this.#told = saved?.channel?.told;
    for (const [name, { generation, cursor }] of saved?.followers ?? []) {
      const { told, failures = 0 } = saved?.channel ?? {};
      this.#followers.restore(name, generation, later(cursor, told), failures);
    }
    this.#isDirty = saved?.channel?.dirty ?? false;
    // What was pushed here before a crash was perhaps never pushed on.
    if (this.#isDirty && this.#followers.size > 0) this.#mirror?.fill(0);
    // A crash may have kept it from forgetting what nobody needs, and from saving where it stands. The next
    // wake, which may come after a sleep, must not go by what was saved before the crash.
    const isUnsure = this.#mirror !== undefined && !ports.hasSlept;
    if (saved !== undefined && (isUnsure || this.#isForsaken)) changed(0);
  }

  get isMirror(): boolean {
    return this.#mirror !== undefined;
  }

  /** Whether anybody reads the room here. */
  get isWanted(): boolean {
    return this.channel.size > 0 || this.#followers.size > 0;
  }

  /** Whether another object follows the room here. */
  get isFollowed(): boolean {
    return this.#followers.size > 0;
  }

  /** Lets go of all but a part of the tail. */
  shorten(part: number): void {
    this.channel.log.shorten(part);
    this.#reportSize();
  }

  /** The room is not served here any more. */
  end(): void {
    this.#mirror?.upstream.end();
    this.#ports.resized(-this.#size);
  }

  /** When `run` is to be called next, Unix ms. */
  dueAt(now: number): number {
    return Math.min(
      this.channel.dueAt,
      this.#followers.dueAt(now),
      this.#mirror?.upstream.dueAt(now) ?? Number.POSITIVE_INFINITY,
    );
  }

  /** When the alarm is to go off, Unix ms; infinite when it is not needed. */
  alarmAt(now: number): number {
    return this.#alarm.at(now);
  }

  /** Another object asks to follow the room. */
  follow(call: FollowCall, now: number): FollowAnswer {
    const answer = this.#followers.follow(call, now);
    this.#alarm.followed(now);
    // A crash must not make this object forget that it owes the log.
    if (answer.kind === 'followed' && answer.log === undefined) {
      this.#told = undefined;
      this.#saveNode(now);
      this.#alarm.arm(now);
    }
    return answer;
  }

  /** The upstream pushes. */
  push(call: PushCall, now: number): PushAnswer {
    return this.#mirror?.push(call, now) ?? declines(call.generation);
  }

  /** The log has something new. */
  grown(now: number): void {
    if (this.#mirror !== undefined) {
      this.#ports.changed(this, now);
      this.#reportSize();
    }
    if (this.#followers.size === 0) return;
    this.#ports.changed(this, now);
    this.#alarm.arm(now);
    this.#followers.askForLog(now);
    if (this.#mirror === undefined || this.#isDirty) return;
    this.#isDirty = true;
    this.#saveNode(now);
  }

  run(now: number): void {
    if (this.channel.dueAt <= now) this.channel.run(now);
    if (this.#followers.dueAt(now) <= now) this.#followers.run(now);
    this.#mirror?.upstream.run(now);
  }

  /** Saves what has to be known after a sleep, or forgets it when nobody needs it. */
  save(now: number): void {
    if (this.#mirror?.goesOn) this.#isDirty = false;
    if (this.#isForsaken) this.#ports.forget(this.channel.room);
    else this.#saveNode(now);
  }

  /** As `save`, and where each follower stands. */
  saveAll(now: number): void {
    this.#followers.saveAll();
    this.save(now);
  }

  /** The object's alarm went off. */
  alarm(now: number): void {
    this.#alarm.wentOff(now);
  }

  /** Whether it follows nobody, and nobody reads it. */
  get #isForsaken(): boolean {
    if (this.#mirror === undefined) return this.#followers.size === 0;
    return this.#mirror.upstream.isIdle && !this.isWanted;
  }

  #reportSize(): void {
    const { size } = this.channel.log;
    this.#ports.resized(size - this.#size);
    this.#size = size;
  }

  #saveNode(now: number): void {
    const { room, log } = this.channel;
    if (this.#followers.size > 0 && this.#followers.haveAll(now)) {
      this.#told = { epoch: log.epoch, seq: log.head };
    }
    const { generation = 0, upstream } = this.#mirror?.upstream.saved ?? {};
    const saved: SavedChannel = {
      generation,
      upstream,
      cursor: this.#mirror?.cursor,
      floor: nothingAfter(log, now),
      told: this.#told,
      dirty: this.#isDirty,
      failures: Math.max(this.#followers.failures, this.#mirror?.upstream.failures ?? 0),
    };
    this.#ports.rows.put({ room, follower: '', value: JSON.stringify(saved) });
  }
}

/** The further one of two cursors. */
function later(one: Cursor | undefined, other: Cursor | undefined): Cursor | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  const isFurther = one.epoch - other.epoch || one.seq - other.seq;
  return isFurther > 0 ? one : other;
}
