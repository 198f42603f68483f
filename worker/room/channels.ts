/**
 * The channels that an object serves: the room that it is the root or a branch of, and `system`, which
 * every object follows whose sockets read it.
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

/** The room that every session reads. */
export const SYSTEM_ROOM = 'system';

export interface ChannelsPorts extends TreePorts {
  readonly now: Timers['now'];
  /** The room that this object is the root or a branch of. */
  readonly room: string;
  readonly branch: Branch | undefined;
  readonly policies: { readonly own: Policy; readonly system: Policy };
  /** Where this object is. */
  readonly region: string;
}

export class Channels implements Scheduled {
  readonly own: TreeNode;
  readonly #ports: ChannelsPorts;
  readonly #nodes = new Map<string, TreeNode>();
  readonly #saved: ReadonlyMap<string, SavedNode>;

  /** @param log the room's own; undefined in a branch. */
  constructor(ports: ChannelsPorts, log: Log | undefined) {
    const { room, policies, rows } = ports;
    this.#ports = ports;
    this.#saved = readNodes(rows);
    const source = log === undefined ? { upstreamAt: this.#upstreamAt(room) } : { log };
    this.own = this.#add(room, policies.own, source);
    // An alarm may be due for what was followed before.
    for (const saved of this.#saved.keys()) this.of(saved);
  }

  /** The channel of a room that sockets of this object may read; undefined for any other room. */
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
    for (const node of this.#nodes.values()) if (node.dueAt(now) <= now) node.run(now);
  }

  alarm(now: number): void {
    for (const node of this.#nodes.values()) node.alarm(now);
  }

  /** Another object asks to follow this object's room. */
  follow(call: FollowCall, now: number): FollowAnswer {
    const { room } = this.#ports;
    if (call.room !== room) throw new Error(`${call.room} is not followed at ${room}`);
    return this.own.follow(call, now);
  }

  /** The upstream of a room pushes. */
  push(call: PushCall, now: number): PushAnswer {
    const { room, generation } = call;
    const node = this.#nodeOf(room);
    if (node !== undefined) return node.push(call, now);
    return { generation, wants: false, cursor: undefined, retryIn: 0 };
  }

  #nodeOf(room: string): TreeNode | undefined {
    const node = this.#nodes.get(room);
    if (node !== undefined || room !== SYSTEM_ROOM) return node;
    return this.#add(room, this.#ports.policies.system, { upstreamAt: this.#upstreamAt(room) });
  }

  #add(room: string, policy: Policy, source: LogSource): TreeNode {
    const node = new TreeNode(this.#ports, room, policy, source, this.#saved.get(room));
    this.#nodes.set(room, node);
    return node;
  }

  #upstreamAt(room: string): (step: Step) => string {
    const { object, region, branch, width } = this.#ports;
    if (branch === undefined) {
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
