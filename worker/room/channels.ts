/**
 * The channels that an object serves: the room that it is the root or a branch of; `system`, which every
 * object follows whose sockets read it; and, at a relay, whatever rooms its sockets ask for.
 */
import type { Policy } from '../policy.ts';
import type { Channel } from './channel.ts';
import {
  type Branch,
  nameOfBranch,
  type Step,
  upstreamAtStep,
  upstreamOfBranch,
} from './follow/branches.ts';
import type { FollowAnswer, FollowCall, PushAnswer, PushCall } from './follow/calls.ts';
import { readNodes, type SavedNode } from './follow/rows.ts';
import { type LogSource, TreeNode, type TreePorts } from './follow/tree-node.ts';
import type { Log } from './log/log.ts';
import type { Scheduled, Timers } from './scheduler.ts';
import { isPrivate } from './session/admission.ts';

/** The room that every session reads. */
export const SYSTEM_ROOM = 'system';
/** What the mirrors of an object may hold together, in characters. */
const MAX_MIRRORED = 32 * 1024 * 1024;

export interface ChannelsPorts extends TreePorts {
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
  /** Rooms whose last reader has left in this turn. */
  readonly #deserted = new Set<string>();
  /** What all mirrors hold together, in characters. */
  #mirrored = 0;

  /** @param log the room's own; undefined in a branch or a relay. */
  constructor(ports: ChannelsPorts, log: Log | undefined) {
    const { room, rows } = ports;
    this.#ports = ports;
    this.#saved = readNodes(rows);
    if (log !== undefined && room !== undefined) this.#add(room, { log });
    else if (room !== undefined) this.#add(room, { upstreamAt: this.#upstreamAt(room) });
    // An alarm may be due for what was followed before.
    for (const saved of this.#saved.keys()) this.#nodeOf(saved);
  }

  /** The channel of the room that the object is the root or a branch of. */
  get own(): TreeNode {
    const own = this.#nodes.get(this.#ports.room ?? '');
    if (own === undefined) throw new Error('a relay has no room of its own');
    return own;
  }

  /** The channel of a room that sockets of this object may read; undefined when it cannot be had. */
  of(room: string): Channel | undefined {
    return this.#nodeOf(room)?.channel;
  }

  get dueAt(): number {
    const now = this.#ports.now();
    return this.#soonest((node) => node.dueAt(now));
  }

  /** When the alarm is to go off, Unix ms; infinite when it is not needed. */
  alarmAt(now: number): number {
    return this.#soonest((node) => node.alarmAt(now));
  }

  run(now: number): void {
    for (const node of [...this.#nodes.values()]) if (node.dueAt(now) <= now) node.run(now);
  }

  alarm(now: number): void {
    for (const node of this.#nodes.values()) node.alarm(now);
  }

  /** Another object asks to follow this object's room. */
  follow(call: FollowCall, now: number): FollowAnswer {
    const { room, object } = this.#ports;
    if (call.room !== room) throw new Error(`${call.room} is not followed at ${object}`);
    return this.own.follow(call, now);
  }

  /** The upstream of a room pushes. */
  push(call: PushCall, now: number): PushAnswer {
    const { room, generation } = call;
    const node = this.#nodes.get(room);
    if (node === undefined) return { generation, wants: false, cursor: undefined, retryIn: 0 };
    return node.push(call, now);
  }

  /** Saves at once what is saved when it is idle. */
  saveAll(now: number): void {
    for (const node of [...this.#nodes.values()]) node.saveAll(now);
  }

  /** What the mirrors hold has grown or shrunk. */
  resized(by: number): void {
    this.#mirrored += by;
  }

  /** The last reader of a room has left. */
  deserted(room: string): void {
    this.#deserted.add(room);
  }

  /** Nothing has to be known of a room any more, and nobody reads it here. */
  forget(room: string): void {
    this.#ports.rows.remove(room, '');
    this.#saved.delete(room);
    const node = this.#nodes.get(room);
    if (node === undefined || room === this.#ports.room) return;
    node.end();
    this.#nodes.delete(room);
  }

  /** At the end of a turn: lets go of what nobody here may read any more, and of what is too much. */
  tidy(): void {
    for (const room of this.#deserted) {
      if (isPrivate(room) && this.#nodes.get(room)?.isWanted === false) this.forget(room);
    }
    this.#deserted.clear();
    if (this.#mirrored > MAX_MIRRORED) this.#shorten();
  }

  /**
   * The latest per key stands for all before it, so tails of keyed rooms go first. Then the others are
   * halved: their readers have most of it already, and are told by a gap if not.
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

  #add(room: string, source: LogSource): TreeNode {
    const policy = this.#ports.policyOf(room);
    const node = new TreeNode(this.#ports, room, policy, source, this.#saved.get(room));
    this.#nodes.set(room, node);
    return node;
  }

  #upstreamAt(room: string): (step: Step) => string {
    const { object, region, branch, width } = this.#ports;
    if (branch === undefined || this.#ports.room === undefined) {
      return (step) => upstreamAtStep(room, region, object, step, width);
    }
    return () => upstreamOfBranch(nameOfBranch(room, branch), width) ?? room;
  }

  #soonest(at: (node: TreeNode) => number): number {
    let soonest = Number.POSITIVE_INFINITY;
    for (const node of this.#nodes.values()) soonest = Math.min(soonest, at(node));
    return soonest;
  }
}
