/**
 * A mirror: a channel whose log follows the room elsewhere. It takes the numbers of its upstream as they
 * are. After a sleep it knows where it stands and has no entries. Then it goes on from there with what
 * it is pushed, and asks for the whole log only when a reader needs what came before.
 */
import type { Policy } from '../../policy.ts';
import type { Priority } from '../../protocol/events/events.ts';
import type { Cursor } from '../../protocol/frames.ts';
import { Channel, type LogKeeper, type SharedDelivery } from '../channel.ts';
import { decodeEntries } from '../log/entry.ts';
import { Log } from '../log/log.ts';
import { logAt, unpack } from './calls/carried-log.ts';
import {
  type CarriedLog,
  declines,
  type PushAnswer,
  type PushCall,
  type PushedEntries,
} from './calls/objects.ts';
import type { SavedChannel } from './rows.ts';
import { Upstream, type UpstreamPorts } from './upstream.ts';

/** While the answer to the mirror's own call is on its way, it is not to be pushed for so long, in ms. */
const BUSY_WAIT = 100;

/** How often the upstream is asked whether there is a later epoch, in ms. */
const CATCH_UP_INTERVAL = 10_000;

export interface MirrorPorts extends Omit<UpstreamPorts, 'filled' | 'unavailable'> {
  /** Whether the object went to sleep after all was saved, and did not crash, as far as it can know. */
  readonly hasSlept: boolean;
  /** The log has something new. */
  readonly grown: (now: number) => void;
  /** The last member has left. */
  readonly deserted: () => void;
  /** Something may be due now. */
  readonly touched: () => void;
}

export class Mirror implements LogKeeper {
  readonly channel: Channel;
  readonly upstream: Upstream;
  readonly #ports: MirrorPorts;
  #isFilled = false;
  #caughtUpAt = Number.NEGATIVE_INFINITY;
  #goesOn: boolean;

  constructor(
    policy: Policy,
    shared: SharedDelivery,
    ports: MirrorPorts,
    saved: SavedChannel | undefined,
  ) {
    this.#ports = ports;
    // What was asked for shortly before a crash is not known any more, nor what was left.
    this.#goesOn = ports.hasSlept && saved?.dirty !== true;
    const log = new Log(policy, logAt(saved?.cursor, saved?.floor), true);
    this.channel = new Channel(ports.room, log, policy, shared, ports.touched, this);
    this.upstream = new Upstream(
      {
        ...ports,
        filled: (carried, now) => this.#refill(carried, now),
        unavailable: (now) => this.channel.refuseWaiting(now),
      },
      saved ?? {},
      ports.hasSlept,
    );
  }

  get isFilled(): boolean {
    return this.#isFilled && this.upstream.isFollower;
  }

  get goesOn(): boolean {
    return this.#goesOn && this.upstream.isFollower;
  }

  /** Where the log stands; undefined when it has never had anything. */
  get cursor(): Cursor | undefined {
    const { epoch, head } = this.channel.log;
    return epoch === 0 ? undefined : { epoch, seq: head };
  }

  fill(now: number): void {
    this.upstream.fill(now);
    this.#ports.touched();
  }

  isUnreachable(now: number): boolean {
    return this.upstream.isUnreachable(now);
  }

  deserted(): void {
    this.#ports.deserted();
  }

  /** Anybody may claim to have seen a later epoch, so the upstream is asked for it now and then only. */
  catchUp(now: number): boolean {
    if (this.upstream.isAsking) return true;
    if (now - this.#caughtUpAt < CATCH_UP_INTERVAL) return false;
    this.#caughtUpAt = now;
    this.fill(now);
    return true;
  }

  /** The upstream pushes. Whatever it pushes, the answer says where the log stands then. */
  push({ upstream, generation, content }: PushCall, now: number): PushAnswer {
    const isPresent = this.upstream.isPresent(upstream, generation);
    const isWanted = this.#ports.isWanted();
    if (!isPresent || !isWanted) {
      if (isPresent) this.#leave(now);
      // A crash has made it forget its last call, and whoever is refused pushes no more.
      else if (isWanted && !this.upstream.isFollower) this.fill(now);
      return declines(generation);
    }
    if (this.upstream.isAsking) {
      return { generation, wants: true, cursor: this.cursor, retryIn: BUSY_WAIT };
    }
    if (content.kind === 'log') this.#refill(content.log, now);
    else this.#append(content, now);
    return { generation, wants: true, cursor: this.cursor, retryIn: 0 };
  }

  #leave(now: number): void {
    this.#isFilled = false;
    this.#goesOn = false;
    this.upstream.leave(now);
  }

  /** What was here before is left out. What leaves a hole, or is of another epoch, is not taken. */
  #append({ epoch, after, entries }: PushedEntries, now: number): void {
    const { channel } = this;
    const { log } = channel;
    if (epoch !== log.epoch || after > log.head) return;
    const fresh = decodeEntries(entries).filter(({ seq }) => seq > log.head);
    if (fresh.length === 0) return;
    for (const entry of fresh) log.accept(entry, now);
    // They have waited for company upstream.
    channel.appended(
      fresh,
      fresh.map((): Priority => 'high'),
      now,
    );
    this.#ports.grown(now);
  }

  /** An older log than is here, such as one that was overtaken on its way, is not taken. */
  #refill(carried: CarriedLog, now: number): void {
    const { log } = this.channel;
    const { epoch, head } = carried;
    if (epoch < log.epoch || (epoch === log.epoch && head < log.head)) {
      if (!this.#isFilled) this.upstream.askAgain(now);
      return;
    }
    // Then it was only asked whether it still wants a room without any event.
    const isNothingNew = this.#isFilled && epoch === log.epoch && head === 0;
    this.#isFilled = true;
    this.#goesOn = true;
    this.upstream.noteFilled();
    if (isNothingNew) return;
    this.channel.refill(unpack(carried), now);
    this.#ports.grown(now);
  }
}
