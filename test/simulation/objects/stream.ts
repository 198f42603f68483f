/**
 * Judges what one socket is sent of one room, frame by frame: whether it is the log of the root, or the
 * log without what a gap names, a newer event of its key replaces, or an expiry explains. A mirror may
 * be behind its root, so what is sent may be old; it may not be wrong.
 */
import type { SocketErrorCode } from '../../../worker/protocol/codes.ts';
import type { Cursor, RoomFrame } from '../../../worker/protocol/frames.ts';
import type { Published } from '../reference.ts';
import { promise } from '../violation.ts';
import type { Coverage } from './coverage.ts';
import type { Truth } from './truth.ts';

type StreamFrame = Extract<RoomFrame, { room: string }>;
type Snapshot = Extract<RoomFrame, { type: 'snapshot' }>;
type Events = Extract<RoomFrame, { type: 'events' }>;

interface Request {
  readonly since: Cursor | undefined;
  /** Unix ms. */
  readonly madeAt: number;
  /** Which message of the client's it was; 0 for its address. */
  readonly order: number;
}

type Phase =
  /** It is sent nothing. */
  | 'none'
  /** It was told that the state follows, or a gap and then the state. */
  | 'new'
  | 'unrecovered'
  | 'gap'
  /** It was shown a part of the state. */
  | 'receiving'
  | 'member';

export class Stream {
  readonly truth: Truth;
  readonly #coverage: Coverage;
  /** What was asked for and is not answered, by id; '' for what the address asked for. */
  readonly #requests = new Map<string, Request>();
  /** Which message asked for its end, by id. */
  readonly #leaving = new Map<string, number>();
  #phase: Phase = 'none';
  /** Where the member stands, by what it was sent. */
  #cursor: Cursor = { epoch: 0, seq: 0 };
  /** What a state should show, as of its first part. */
  #due: readonly Published[] = [];
  /** What the parts of it have shown. */
  #tookParts = false;
  readonly #shown = new Map<number, string>();
  /** Numbers of events that were left out, by key: a newer one of the key is still to come. */
  readonly #replaced = new Map<string, number>();

  constructor(truth: Truth, coverage: Coverage) {
    this.truth = truth;
    this.#coverage = coverage;
  }

  get isMember(): boolean {
    return this.#phase === 'member';
  }

  /** Whether it is a member, or about to be shown the state. */
  get isServed(): boolean {
    return this.#phase !== 'none';
  }

  /** Whether it is served, or waits to be. */
  get isOpen(): boolean {
    return this.#phase !== 'none' || this.#requests.size > 0;
  }

  get isWaiting(): boolean {
    return this.#requests.size > 0;
  }

  requests(id: string, since: Cursor | undefined, madeAt: number, order = 0): void {
    this.#requests.set(id, { since, madeAt, order });
  }

  leaves(id: string, order: number): void {
    this.#leaving.set(id, order);
  }

  /** An error answers a request, or ends what a wake has begun anew. */
  refused(id: string | undefined, code: SocketErrorCode): void {
    const { room } = this.truth;
    const isEnd = code === 'room_unavailable';
    if (id === undefined) {
      promise(!isEnd || this.#phase === 'receiving', () => `${room}: nobody asked for it`);
      if (isEnd) this.#phase = 'none';
      return;
    }
    if (this.#leaving.delete(id)) return;
    const request = this.#requests.get(id);
    promise(request !== undefined, () => `${room}: nobody asked as "${id}", refused: ${code}`);
    this.#requests.delete(id);
    if (isEnd) this.ended(request.order);
  }

  /** It is sent nothing more, whatever was asked for before a message. */
  ended(order: number): void {
    this.#phase = 'none';
    for (const [id, request] of this.#requests) {
      if (request.order < order) this.#requests.delete(id);
    }
  }

  /** Reads a frame. The cursor of a client that has read it, if the frame gives it one. */
  read(frame: StreamFrame, now: number): Cursor | undefined {
    switch (frame.type) {
      case 'subscribed':
        return this.#subscribed(frame, now);
      case 'gap':
        return this.#gap(frame, now);
      case 'snapshot':
        return this.#snapshot(frame, now);
      case 'events':
        return this.#events(frame, now);
      case 'unsubscribed':
        this.#left(String(frame.id));
        return undefined;
      default:
        return undefined;
    }
  }

  /** What the member does not have, though it has come to rest. */
  missing(now: number): string | undefined {
    const { epoch, seq } = this.#cursor;
    const { room, epoch: now_, head } = this.truth;
    if (this.#leaving.size > 0) return `${room}: its end was never answered`;
    if (!this.isOpen) return undefined;
    if (!this.isMember) return `${room}: it still is ${this.#phase}, waiting ${this.isWaiting}`;
    if (this.isWaiting) return `${room}: a request was never answered`;
    if (this.#replaced.size > 0) return `${room}: nothing replaced ${[...this.#replaced].join()}`;
    const isWhole = this.truth.isWholeAt(epoch, seq, now);
    return isWhole ? undefined : `${room}: it stands at ${epoch}:${seq} of ${now_}:${head}`;
  }

  #left(id: string): void {
    const order = this.#leaving.get(id);
    promise(order !== undefined, () => `${this.truth.room}: nobody left it as "${id}"`);
    this.#leaving.delete(id);
    this.ended(order);
  }

  #subscribed(frame: Extract<RoomFrame, { type: 'subscribed' }>, now: number): Cursor | undefined {
    const { truth } = this;
    const id = String(frame.id ?? '');
    const request = this.#requests.get(id);
    // A wake shows the state anew to a member that was being shown it.
    const isAnew = request === undefined && this.#phase === 'receiving' && id === '';
    promise(isAnew || request !== undefined, () => `${truth.room}: nobody asked as "${id}"`);
    for (const older of this.#requests.keys()) {
      this.#requests.delete(older);
      if (older === id) break;
      this.#coverage.add('requests replaced');
    }
    if (request !== undefined && request.madeAt < now) this.#coverage.add('members that waited');
    const since = request?.since;
    const { epoch, seq } = frame;
    promise(seq <= truth.headOf(epoch), () => `${truth.room}: told the head ${epoch}:${seq}`);
    this.#replaced.clear();
    this.#shown.clear();
    if (!frame.recovered) {
      this.#phase = since === undefined ? 'new' : 'unrecovered';
      this.#cursor = since ?? { epoch, seq: 0 };
      return undefined;
    }
    promise(
      since !== undefined && (since.seq === 0 || since.epoch === epoch),
      () => `${truth.room}: recovered at ${epoch}, from ${JSON.stringify(since)}`,
    );
    promise(since.seq <= seq, () => `${truth.room}: recovered from ${since.seq} at head ${seq}`);
    this.#phase = 'member';
    this.#cursor = { epoch, seq: since.seq };
    if (since.seq < seq) this.#coverage.add('resumed from behind');
    return this.#cursor;
  }

  #gap({ epoch, from, to, reason }: Extract<RoomFrame, { type: 'gap' }>, now: number): undefined {
    const { truth } = this;
    const { epoch: of, seq } = this.#cursor;
    const mayFollow = this.isMember || this.#phase === 'unrecovered' || this.#phase === 'receiving';
    promise(mayFollow, () => `${truth.room}: a gap while ${this.#phase}`);
    promise(from === seq, () => `${truth.room}: a gap from ${from}, at ${seq}`);
    promise(to <= truth.headOf(epoch), () => `${truth.room}: a gap to ${epoch}:${to}`);
    if (reason === 'trimmed') {
      promise(epoch === of, () => `${truth.room}: trimmed ${of}:${from} in epoch ${epoch}`);
      const isTrue = truth.mayHaveTrimmed(epoch, from, now);
      promise(isTrue, () => `${truth.room}: a gap from ${from}, where nothing was trimmed`);
      promise(to >= from, () => `${truth.room}: a gap from ${from} to ${to}`);
    } else {
      const isOther = epoch !== of || from > to;
      promise(isOther, () => `${truth.room}: a gap of the epoch within ${epoch}`);
      if (epoch < of) this.#coverage.add('went back to an older epoch');
    }
    this.#coverage.add(`gaps: ${reason}`);
    if (this.isMember && reason === 'epoch') this.#coverage.add('epoch changes told');
    this.#phase = 'gap';
    this.#cursor = { epoch, seq: to };
    this.#replaced.clear();
    this.#shown.clear();
  }

  #snapshot({ epoch, seq, events, more }: Snapshot, now: number): Cursor | undefined {
    const { truth } = this;
    const { room } = truth;
    const isDue = this.#phase === 'new' || this.#phase === 'gap' || this.#phase === 'receiving';
    promise(isDue, () => `${room}: a snapshot while ${this.#phase}`);
    promise(seq <= truth.headOf(epoch), () => `${room}: a snapshot at ${epoch}:${seq}`);
    const isJoined =
      this.#phase === 'new' || (this.#cursor.epoch === epoch && this.#cursor.seq === seq);
    promise(isJoined, () => `${room}: a snapshot at ${epoch}:${seq}, not ${this.#cursor.seq}`);
    if (this.#phase !== 'receiving') this.#due = truth.stateAt(epoch, seq, now);
    let last = [...this.#shown.keys()].at(-1) ?? 0;
    for (const event of events) {
      promise(event.seq > last && event.seq <= seq, () => `${room}: ${event.seq} in a snapshot`);
      last = event.seq;
      const { key, expiresAt } = this.#genuine(epoch, event);
      promise(truth.isKeyed || expiresAt > now, () => `${room}: ${last} had expired`);
      this.#shown.set(last, key);
    }
    this.#cursor = { epoch, seq };
    this.#tookParts = more === true || this.#phase === 'receiving';
    if (more) {
      this.#phase = 'receiving';
      return undefined;
    }
    this.#judgeState(epoch, seq, now);
    this.#shown.clear();
    this.#phase = 'member';
    return this.#cursor;
  }

  /** Judges a whole state, of which some entries may have been replaced while its parts were given. */
  #judgeState(epoch: number, seq: number, now: number): void {
    const { truth } = this;
    const { room, policy } = truth;
    const most = policy.snapshot.kind === 'tail' ? policy.snapshot.events : policy.retention.keys;
    const shown = [...this.#shown.keys()];
    promise(shown.length <= most, () => `${room}: a snapshot of ${shown.length}`);
    for (const { seq: number, key, expiresAt } of this.#due) {
      if (this.#shown.has(number) || (!truth.isKeyed && expiresAt <= now)) continue;
      // While it took the parts, the bounds may have taken what it had not seen.
      if (this.#tookParts && !truth.keeps(epoch, number, key)) continue;
      const isReplaced = truth.isKeyed && truth.headOf(epoch) > seq;
      promise(isReplaced, () => `${room}: a snapshot at ${seq} of ${shown}, without ${number}`);
      this.#replaced.set(key, number);
    }
  }

  #events({ after, events }: Events, now: number): Cursor {
    const { truth } = this;
    const { room } = truth;
    promise(this.isMember, () => `${room}: events while ${this.#phase}`);
    const { epoch } = this.#cursor;
    let { seq } = this.#cursor;
    promise(after === seq, () => `${room}: events after ${after}, at ${seq}`);
    for (const event of events) {
      promise(event.seq > seq, () => `${room}: number ${event.seq} at ${seq}`);
      while (++seq < event.seq) this.#leaveOut(epoch, seq, now);
      const { key, expiresAt } = this.#genuine(epoch, event);
      promise(truth.isKeyed || expiresAt > now, () => `${room}: number ${seq} had expired`);
      this.#replaced.delete(key);
    }
    this.#cursor = { epoch, seq };
    const isAtHead = epoch === truth.epoch && seq === truth.head;
    const left = [...this.#replaced.values()];
    promise(!isAtHead || left.length === 0, () => `${room}: nothing replaced ${left}`);
    return this.#cursor;
  }

  #leaveOut(epoch: number, seq: number, now: number): void {
    const { truth } = this;
    const { key, perishable, expiresAt } = truth.entry(epoch, seq);
    if (perishable && expiresAt <= now) return;
    promise(truth.isKeyed, () => `${truth.room}: number ${epoch}:${seq} is missing`);
    this.#coverage.add('conflated');
    this.#replaced.set(key, seq);
  }

  #genuine(epoch: number, { seq, event }: Events['events'][number]): ReturnType<Truth['entry']> {
    const { truth } = this;
    const entry = truth.entry(epoch, seq);
    promise(event.id === entry.id, () => `${truth.room}: ${epoch}:${seq} is ${entry.id}`);
    return entry;
  }
}
