/**
 * Why the alarm is to wake an object for one of its rooms: a crash, after an append that may not have been
 * pushed; a follower or an upstream that could not be reached for long; followers that nobody can wake,
 * because this object follows nobody itself; and followers of a room without any event, which are asked
 * whether they still want it (`question.ts`).
 */
import { symbolOfRoom } from '../../protocol/rooms.ts';
import type { Channel } from '../channel.ts';
import type { Followers } from './followers.ts';
import type { Mirror } from './mirror.ts';
import { Question } from './question.ts';

/** How long after an append the alarm goes off that pushes it if the object has crashed, in ms. */
const ALARM_AFTER = 10_000;

export class NodeAlarm {
  readonly #channel: Channel;
  readonly #followers: Followers;
  /** Undefined for a room's own log. */
  readonly #mirror: Mirror | undefined;
  readonly #question = new Question();
  /** When it goes off in case of a crash, Unix ms. */
  #armedFor = Number.POSITIVE_INFINITY;

  constructor(channel: Channel, followers: Followers, mirror: Mirror | undefined) {
    this.#channel = channel;
    this.#followers = followers;
    this.#mirror = mirror;
  }

  /** When it is to go off, Unix ms; infinite when it is not needed. */
  at(now: number): number {
    if (this.#isOrphan(now)) this.arm(now);
    const asks = this.#isDoubtful && this.#followers.size > 0;
    return Math.min(
      this.#armedFor,
      asks ? this.#question.at : Number.POSITIVE_INFINITY,
      this.#followers.alarmAt(now),
      this.#mirror?.upstream.alarmAt(now) ?? Number.POSITIVE_INFINITY,
    );
  }

  /** Has it go off in case of a crash. */
  arm(now: number): void {
    if (this.#armedFor === Number.POSITIVE_INFINITY) this.#armedFor = now + ALARM_AFTER;
  }

  /** Another object has asked to follow the room. */
  followed(now: number): void {
    if (this.#question.isDue(now)) this.#question.plan(this.#channel.log.epoch, now);
  }

  /** It went off, for this room or another one: does what it was set for. */
  wentOff(now: number): void {
    if (this.#armedFor <= now) this.#armedFor = Number.POSITIVE_INFINITY;
    if (this.#followers.size === 0) return;
    if (this.#isDoubtful && this.#question.isDue(now)) {
      this.#followers.doubt();
      this.#question.plan(this.#channel.log.epoch, now);
    }
    if (this.#isOrphan(now)) this.#mirror?.fill(now);
    this.#followers.askForLog(now);
    // Nobody can miss what was never there.
    if (this.#isEmpty && this.#mirror === undefined) return;
    // Another crash may come before all is done. Whoever cannot be reached for long has its own alarm.
    const asksAt = this.#mirror?.upstream.dueAt(now) ?? Number.POSITIVE_INFINITY;
    if (Math.min(asksAt, this.#followers.dueAt(now)) !== Number.POSITIVE_INFINITY) this.arm(now);
  }

  /** Whether others follow the room here, and it follows nobody that could wake it. */
  #isOrphan(now: number): boolean {
    const upstream = this.#mirror?.upstream;
    if (upstream === undefined || upstream.isFollower || this.#followers.size === 0) return false;
    return upstream.alarmAt(now) === Number.POSITIVE_INFINITY;
  }

  /** Whether it may be a room that somebody made up, by naming a symbol. */
  get #isDoubtful(): boolean {
    return this.#isEmpty && symbolOfRoom(this.#channel.room) !== undefined;
  }

  /** Whether nothing is known to have been published. */
  get #isEmpty(): boolean {
    return this.#channel.log.head === 0;
  }
}
