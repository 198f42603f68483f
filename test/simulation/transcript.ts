/**
 * Judges what a room sends over one connection, frame by frame: whether it is the log, or the log
 * without what a gap names, a conflated frame replaces or an expiry explains.
 */
import type { Cursor, GapReason, RoomFrame } from '../../worker/protocol/frames.ts';
import type { MaxRate } from '../../worker/protocol/messages.ts';
import { unreachable } from '../../worker/protocol/unreachable.ts';
import type { Reference } from './reference.ts';
import { promise } from './violation.ts';

export interface Request {
  readonly since: Cursor | undefined;
  readonly maxRate: MaxRate | undefined;
}

type Phase =
  | { readonly kind: 'new' | 'held' }
  | { readonly kind: 'subscribing'; readonly request: Request }
  /** Told that it does not go on from `since`; the gap says why. */
  | { readonly kind: 'unrecovered'; readonly since: Cursor }
  | { readonly kind: 'snapshot' | 'member' }
  /** Shown the state at `head` up to the number `upTo`. */
  | { readonly kind: 'receiving'; readonly head: number; readonly upTo: number };

export class Transcript {
  #phase: Phase = { kind: 'new' };
  #seq = 0;
  #maxRate: MaxRate | undefined;
  /** While it was shown a state in parts, it may have fallen off the tail. */
  #tookParts = false;
  /** Numbers of events left out, by key: a newer one of the key is still to come in this turn. */
  readonly #replaced = new Map<string, number>();

  get isMember(): boolean {
    return this.#phase.kind === 'member';
  }

  /** Whether the room has given something that can be acked: events, or a part of the state. */
  get wasGiven(): boolean {
    return this.isMember || this.#phase.kind === 'receiving';
  }

  /** What the member was sent up to. */
  get seq(): number {
    return this.#seq;
  }

  subscribes(request: Request): void {
    this.#phase = { kind: 'subscribing', request };
    this.#maxRate = request.maxRate;
  }

  /** @param slow whether the connection ever gave a sign that it cannot keep up. */
  read(frame: RoomFrame, reference: Reference, now: number, slow: boolean): void {
    const phase = this.#phase;
    switch (frame.type) {
      // The answers to messages are judged by the expectations.
      case 'welcome':
      case 'error':
      case 'shutdown':
        return;
      case 'subscribed': {
        // A wake shows the state anew to a member that was being shown it.
        const isAnew = phase.kind === 'receiving';
        promise(isAnew || phase.kind === 'subscribing', () => `subscribed while ${phase.kind}`);
        const since = isAnew ? undefined : phase.request.since;
        promise(frame.epoch === reference.epoch, () => `subscribed to epoch ${frame.epoch}`);
        promise(frame.seq === reference.head, () => `head ${reference.head}, told ${frame.seq}`);
        if (frame.recovered) {
          // Who received nothing of any epoch misses nothing of a durable log that is whole.
          const isKnown = since?.epoch === reference.epoch || since?.seq === 0;
          promise(
            since !== undefined && isKnown && since.seq <= reference.head,
            () => `recovered from ${JSON.stringify(since)} in epoch ${reference.epoch}`,
          );
          this.#seq = since.seq;
          this.#phase = { kind: 'member' };
        } else {
          this.#phase = since === undefined ? { kind: 'snapshot' } : { kind: 'unrecovered', since };
        }
        return;
      }
      case 'gap': {
        const isAtJoining = phase.kind === 'unrecovered';
        promise(isAtJoining || phase.kind === 'member', () => `gap while ${phase.kind}`);
        const cursor = isAtJoining ? phase.since : { epoch: reference.epoch, seq: this.#seq };
        promise(frame.from === cursor.seq, () => `gap from ${frame.from}, not ${cursor.seq}`);
        promise(frame.to === reference.head, () => `gap to ${frame.to}, not ${reference.head}`);
        const reason = reasonOf(cursor, reference, now);
        promise(frame.reason === reason, () => `gap for ${frame.reason}, which is ${reason}`);
        this.#phase = { kind: 'snapshot' };
        return;
      }
      case 'snapshot': {
        const isNext = phase.kind === 'receiving';
        promise(isNext || phase.kind === 'snapshot', () => `snapshot while ${phase.kind}`);
        const { head, upTo } = isNext ? phase : { head: reference.head, upTo: 0 };
        promise(frame.seq === head, () => `snapshot at ${frame.seq}, not at ${head}`);
        const shown = frame.events.map(({ seq }) => seq);
        const state = isNext ? reference.stateIn(upTo, head, now) : reference.snapshot(now);
        // A part is the oldest of what is left; the last one is all of it.
        const due = frame.more === undefined ? state : state.slice(0, shown.length);
        promise(shown.join() === due.join(), () => `snapshot of ${shown}, not of ${due}`);
        promise(frame.more === undefined || due.length < state.length, () => 'nothing is left');
        for (const event of frame.events) isGenuine(event, reference);
        this.#seq = head;
        this.#tookParts ||= frame.more === true;
        this.#replaced.clear();
        this.#phase =
          frame.more === undefined
            ? { kind: 'member' }
            : { kind: 'receiving', head, upTo: shown.at(-1) ?? upTo };
        return;
      }
      case 'events': {
        promise(phase.kind === 'member', () => `events while ${phase.kind}`);
        promise(frame.after === this.#seq, () => `after ${frame.after}, at ${this.#seq}`);
        for (const event of frame.events) {
          const { seq } = event;
          promise(seq > this.#seq, () => `number ${seq} at ${this.#seq}`);
          for (let missing = this.#seq + 1; missing < seq; missing++) {
            this.#leaveOut(missing, reference, now, slow);
          }
          isGenuine(event, reference);
          const { key, expiresAt } = reference.entry(seq);
          promise(reference.isKeyed || expiresAt > now, () => `number ${seq} had expired`);
          this.#replaced.delete(key);
          this.#seq = seq;
        }
        return;
      }
      case 'unsubscribed':
        this.#phase = { kind: 'held' };
        return;
      default:
        unreachable(frame);
    }
  }

  /** Who has been sent everything has a newer event for each that was left out. */
  endTurn({ head }: Reference): void {
    const { kind } = this.#phase;
    const isWhole = kind !== 'unrecovered' && kind !== 'snapshot';
    promise(isWhole, () => `left at ${kind}`);
    if (this.#seq < head) return;
    promise(this.#replaced.size === 0, () => `left out ${[...this.#replaced.values()].join()}`);
  }

  #leaveOut(seq: number, reference: Reference, now: number, slow: boolean): void {
    const { key, perishable, expiresAt } = reference.entry(seq);
    if (perishable && expiresAt <= now) return;
    const mayBeLate = slow || this.#tookParts || this.#maxRate !== undefined;
    const isConflated = reference.isKeyed && mayBeLate;
    promise(isConflated, () => `number ${seq} is missing`);
    this.#replaced.set(key, seq);
  }
}

function reasonOf(cursor: Cursor, reference: Reference, now: number): GapReason | 'none' {
  if (cursor.epoch !== reference.epoch || cursor.seq > reference.head) return 'epoch';
  return reference.mayHaveTrimmed(cursor.seq, now) ? 'trimmed' : 'none';
}

function isGenuine(
  { seq, event }: { readonly seq: number; readonly event: object },
  reference: Reference,
): void {
  const { id } = reference.entry(seq);
  promise('id' in event && event.id === id, () => `number ${seq} is ${id}, and another was sent`);
}
