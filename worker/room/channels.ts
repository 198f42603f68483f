/**
 * The channels that an object serves: the room that it is the root or a branch of; `system`, which every
 * object follows whose sockets read it; and, at a relay, whatever rooms its sockets ask for.
 */
import type { Policy } from '../policy.ts';
import { SYSTEM_ROOM } from '../protocol/rooms.ts';
import type { Channel } from './channel.ts';
import {
  type Branch,
  nameOfBranch,
  type Step,
  upstreamAtStep,
  upstreamOfBranch,
} from './follow/branches.ts';
import {
  declines,
  type FollowAnswer,
  type FollowCall,
  type PushAnswer,
  type PushCall,
} from './follow/calls/objects.ts';
import { readNodes, type SavedNode } from './follow/rows.ts';
import { type LogOrigin, type NodeOwner, TreeNode, type TreePorts } from './follow/tree-node.ts';
import type { Log } from './log/log.ts';
import type { Scheduled, Timers } from './scheduler.ts';
import { isPrivate } from './session/admission/admission.ts';
import type { Following } from './session/admission/eventless-rooms.ts';

/** How many rooms are still followed that nobody reads any more. Each ends with its next event, too. */
const MAX_UNREAD = 256;
/** How long nothing of a node changes before it is saved, in ms. */
const IDLE_TIME = 3_000;
/** What the mirrors of an object may hold together, in characters. */
const MAX_MIRRORED = 32 * 1024 * 1024;

export interface ChannelsPorts extends Omit<TreePorts, keyof NodeOwner> {
  readonly now: Timers['now'];
  /** The room that this object is the root or a branch of; undefined for a relay. */
  readonly room: string | undefined;
  readonly branch: Branch | undefined;
  readonly policyOf: (room: string) => Policy;
  /** Where this object is. */
  readonly region: string;
}

export class Channels implements Scheduled {
  readonly #ports: ChannelsPorts;
  readonly #nodes = new Map<string, TreeNode>();
  readonly #saved: Map<string, SavedNode>;
  /** Those in which something may be due; in all others nothing is. */
  readonly #awake = new Set<TreeNode>();
  /** When each of them changed that is to be saved, Unix ms; those that changed longest ago come first. */
  readonly #unsaved = new Map<TreeNode, number>();
  /** Rooms that are followed and that nobody reads, the longest unread first. */
  readonly #unread = new Set<string>();
  /** Those of them whose last reader has left in this turn. */
  readonly #deserted = new Set<string>();
  readonly #nodePorts: TreePorts;
  /** What all mirrors hold together, in characters. */
  #mirrored = 0;

  /** @param log the room's own; undefined in a branch or a relay. */
  constructor(ports: ChannelsPorts, log: Log | undefined) {
    const { room, rows } = ports;
    this.#ports = ports;
    this.#nodePorts = {
      ...ports,
      resized: (by) => {
        this.#mirrored += by;
      },
      deserted: (left) => this.#desert(left),
      touched: (node) => this.#touched(node),
      changed: (node, now) => this.#changed(node, now),
    };
    this.#saved = readNodes(rows);
    if (log !== undefined && room !== undefined) this.#add(room, { log });
    else if (room !== undefined) this.#add(room, { upstreamAt: this.#upstreamAt(room) });
    // An alarm may be due for what was followed before.
    for (const saved of this.#saved.keys()) {
      this.#nodeOf(saved);
      this.#desert(saved);
    }
  }

  /** The channel of the room that the object is the root or a branch of. */
  get own(): TreeNode {
    const own = this.#nodes.get(this.#ports.room ?? '');
    if (own === undefined) throw new Error('a relay has no room of its own');
    return own;
  }

  /** The channel of a room that sockets of this object may read; undefined when it cannot be had. */
  of(room: string): Channel | undefined {
    this.#unread.delete(room);
    return this.#nodeOf(room)?.channel;
  }

  /** Whether a room is followed here, and has an event as far as is known. */
  followingOf(room: string): Following {
    const node = this.#nodes.get(room);
    if (node === undefined) return 'not';
    return node.channel.log.head === 0 ? 'eventless' : 'with_events';
  }

  get dueAt(): number {
    const now = this.#ports.now();
    return Math.min(
      this.#soonest((node) => node.dueAt(now)),
      this.#saveAt,
    );
  }

  /** When the alarm is to go off, Unix ms; infinite when it is not needed. */
  alarmAt(now: number): number {
    return this.#soonest((node) => node.alarmAt(now));
  }

  run(now: number): void {
    for (const node of [...this.#awake]) if (node.dueAt(now) <= now) node.run(now);
    while (this.#saveAt <= now) {
      const [node] = this.#unsaved.keys();
      if (node === undefined) return;
      this.#unsaved.delete(node);
      node.save(now);
    }
  }

  alarm(now: number): void {
    for (const node of this.#nodes.values()) {
      this.#touched(node);
      node.alarm(now);
    }
  }

  /** Something of a node has changed, so that something may be due. */
  #touched(node: TreeNode): void {
    this.#awake.add(node);
  }

  /** What has to be known of a node after a sleep has changed. */
  #changed(node: TreeNode, now: number): void {
    this.#touched(node);
    this.#unsaved.delete(node);
    this.#unsaved.set(node, now);
  }

  /** Another object asks to follow this object's room. */
  follow(call: FollowCall, now: number): FollowAnswer {
    const { room, object } = this.#ports;
    if (call.room !== room) throw new Error(`${call.room} is not followed at ${object}`);
    this.#touched(this.own);
    return this.own.follow(call, now);
  }

  /** The upstream of a room pushes. */
  push(call: PushCall, now: number): PushAnswer {
    const node = this.#nodes.get(call.room);
    if (node === undefined) return declines(call.generation);
    this.#touched(node);
    return node.push(call, now);
  }

  /** Saves at once what is saved when it is idle. */
  saveAll(now: number): void {
    for (const node of [...this.#unsaved.keys()]) {
      this.#unsaved.delete(node);
      node.saveAll(now);
    }
  }

  /** Nothing has to be known of any room any more. */
  forgetAll(): void {
    for (const room of [...this.#nodes.keys()]) this.forget(room);
  }

  /** Nothing has to be known of a room any more, and nobody reads it here. */
  forget(room: string): void {
    this.#ports.rows.remove(room, '');
    this.#saved.delete(room);
    const node = this.#nodes.get(room);
    if (node === undefined || room === this.#ports.room) return;
    node.end();
    this.#nodes.delete(room);
    this.#unread.delete(room);
    this.#awake.delete(node);
    this.#unsaved.delete(node);
  }

  /** Whether nobody follows the root's room; for a relay, whether it follows none. A branch says it itself. */
  get isForsaken(): boolean {
    const { room, branch } = this.#ports;
    if (room === undefined) return this.#nodes.size === 0;
    return branch === undefined && !this.own.isFollowed;
  }

  /** At the end of a turn: lets go of what nobody here may read any more, and of what is too much. */
  tidy(): void {
    for (const room of this.#deserted) {
      const node = this.#nodes.get(room);
      if (node?.isWanted !== false) this.#unread.delete(room);
      else if (isPrivate(room)) this.forget(room);
    }
    this.#deserted.clear();
    for (const room of this.#unread) {
      if (this.#unread.size <= MAX_UNREAD) break;
      this.forget(room);
    }
    if (this.#mirrored > MAX_MIRRORED) this.#shorten();
  }

  /** Forgets about nodes in which nothing is due. */
  rest(now: number): void {
    for (const node of this.#awake) {
      const isIdle = Math.min(node.dueAt(now), node.alarmAt(now)) === Number.POSITIVE_INFINITY;
      if (isIdle) this.#awake.delete(node);
    }
  }

  /**
   * The latest per key stands for all before it, so tails of keyed rooms go first. Then the others are
   * halved: their readers have most of it already, and get a gap if not.
   */
  #shorten(): void {
    for (const keyed of [true, false]) {
      for (const node of this.#nodes.values()) {
        if (this.#mirrored <= MAX_MIRRORED) return;
        if (node.isMirror && node.channel.log.isKeyed === keyed) node.shorten(keyed ? 0 : 0.5);
      }
    }
  }

  #nodeOf(room: string): TreeNode | undefined {
    const node = this.#nodes.get(room);
    if (node !== undefined) return node;
    const isServed = room === SYSTEM_ROOM || this.#ports.room === undefined;
    if (!isServed || this.#mirrored >= MAX_MIRRORED) return undefined;
    return this.#add(room, { upstreamAt: this.#upstreamAt(room) });
  }

  #add(room: string, origin: LogOrigin): TreeNode {
    const policy = this.#ports.policyOf(room);
    const node = new TreeNode(this.#nodePorts, room, policy, origin, this.#saved.get(room));
    this.#nodes.set(room, node);
    this.#touched(node);
    return node;
  }

  #desert(room: string): void {
    this.#unread.add(room);
    this.#deserted.add(room);
  }

  #upstreamAt(room: string): (step: Step) => string {
    const { object, region, branch, width } = this.#ports;
    if (branch === undefined || this.#ports.room === undefined) {
      return (step) => upstreamAtStep(room, region, object, step, width);
    }
    return () => upstreamOfBranch(nameOfBranch(room, branch), width) ?? room;
  }

  get #saveAt(): number {
    const [changedAt] = this.#unsaved.values();
    return changedAt === undefined ? Number.POSITIVE_INFINITY : changedAt + IDLE_TIME;
  }

  #soonest(at: (node: TreeNode) => number): number {
    let soonest = Number.POSITIVE_INFINITY;
    for (const node of this.#awake) soonest = Math.min(soonest, at(node));
    return soonest;
  }
}
