/** A socket and the client at its other end, who reads when the script says so. */
import type { CloseReason } from '../../worker/protocol/codes.ts';
import type { Cursor, RoomFrame } from '../../worker/protocol/frames.ts';
import { SLICE_CHARACTERS } from '../../worker/room/delivery/slice.ts';
import { type Attachment, decodeAttachment } from '../../worker/room/session/attachment.ts';
import {
  MAX_BACKLOG_BYTES,
  MAX_BURST_BYTES,
  type Socket,
} from '../../worker/room/session/output/output.ts';
import { WINDOW_CHARACTERS } from '../../worker/room/session/output/window.ts';
import { Expectations } from './expectations.ts';
import type { Reference } from './reference.ts';
import { type Request, Transcript } from './transcript.ts';
import { promise } from './violation.ts';

/** A frame is full with the event that fills it. */
const MAX_FRAME = SLICE_CHARACTERS + 120_000;

/** What the client has made of what it read. It outlives the connection. */
export class View {
  cursor: Cursor | undefined;
  readonly latest = new Map<string, number>();
}

export interface Manners {
  /** Whether it acks what it read, after each half window. */
  acks: boolean;
  /** Whether it reads at once what comes. */
  reads: boolean;
}

interface Sent {
  readonly text: string;
  readonly frame: RoomFrame;
  readonly request: Request;
}

/** The end of the socket that the room has. */
export interface RoomEnd {
  /** @param waiting how many characters the client has not read before it. */
  readonly send: (connection: Connection, text: string, waiting: number) => void;
  readonly close: (connection: Connection, reason: CloseReason) => void;
}

export class Connection implements Socket {
  declare readonly bufferedAmount?: number;
  readonly view: View;
  readonly manners: Manners;
  readonly transcript = new Transcript();
  readonly expectations: Expectations;
  attachment: Attachment | null | undefined;
  request: Request;
  /** Why the room closed it. */
  closedFor: CloseReason | undefined;
  /** Gone without a word: sending fails. */
  isBroken = false;
  /** Whether the room may know by now that it is slow. */
  isSlow = false;
  readonly #room: RoomEnd;
  readonly #unread: Sent[] = [];
  #unreadCharacters = 0;
  /** The number of the state that is being shown in parts. */
  #shownAt: number | undefined;
  /** What its parts have shown: only the whole of it takes the place of what the client has. */
  #parts: Extract<RoomFrame, { type: 'snapshot' }>['events'][number][] = [];
  #unackedByClient = 0;
  /** Sent since the first ack by the flusher and not acked. */
  #inFlight: { readonly seq: number; readonly characters: number }[] = [];
  #acked = false;

  constructor(
    room: RoomEnd,
    view: View,
    manners: Manners,
    request: Request,
    { tellsBuffered, now }: { readonly tellsBuffered: boolean; readonly now: number },
  ) {
    this.#room = room;
    this.expectations = new Expectations(now);
    this.view = view;
    this.manners = manners;
    this.request = request;
    this.transcript.subscribes(request);
    if (!tellsBuffered) return;
    Object.defineProperty(this, 'bufferedAmount', { get: () => this.#unreadCharacters });
  }

  send(text: string): void {
    if (this.isBroken) throw new TypeError('the socket is closed');
    promise(this.closedFor === undefined, () => `sent to after ${this.closedFor}`);
    const waiting = this.#unreadCharacters;
    this.#unreadCharacters += text.length;
    this.#room.send(this, text, waiting);
  }

  close(_code: number, reason: string): void {
    this.#room.close(this, reason as CloseReason);
  }

  serializeAttachment(attachment: string | null): void {
    this.attachment = decodeAttachment(attachment);
  }

  get inFlight(): number {
    return this.#inFlight.reduce((sum, { characters }) => sum + characters, 0);
  }

  get unread(): number {
    return this.#unreadCharacters;
  }

  resubscribes(request: Request): void {
    this.request = request;
    this.transcript.subscribes(request);
    this.#inFlight = [];
  }

  /** A frame has left the room: it is judged, and waits to be read. */
  receive(
    text: string,
    frame: RoomFrame,
    { waiting, reference, now }: { waiting: number; reference: Reference; now: number },
  ): void {
    this.expectations.read(frame);
    const isServed = this.transcript.isMember && (frame.type === 'events' || frame.type === 'gap');
    // So no more than the bound and one frame, or one gap with its snapshot, is ever on its way.
    if (isServed) {
      const { inFlight } = this;
      promise(inFlight < WINDOW_CHARACTERS, () => `sent beyond its window: ${inFlight}`);
      const buffered = this.bufferedAmount === undefined ? 0 : waiting;
      promise(buffered < MAX_BURST_BYTES, () => `sent beyond its buffer: ${buffered}`);
      promise(text.length < MAX_FRAME, () => `a frame of ${text.length} characters`);
    }
    this.transcript.read(frame, reference, now, this.isSlow);
    this.#unread.push({ text, frame, request: this.request });
    if (this.#acked) this.#inFlight.push({ seq: this.transcript.seq, characters: text.length });
    const mayBeSeen = this.#unreadCharacters >= MAX_BACKLOG_BYTES;
    if (mayBeSeen && this.bufferedAmount !== undefined) this.isSlow = true;
    if (this.#acked && this.inFlight >= WINDOW_CHARACTERS) this.isSlow = true;
  }

  endTurn(reference: Reference): void {
    if (this.closedFor !== undefined || this.isBroken) return;
    this.transcript.endTurn(reference);
    this.expectations.endTurn();
  }

  /** The object slept: what was in flight is known again only if it was attached. */
  wakes(): void {
    if (this.attachment?.inFlight === undefined) this.#inFlight = [];
    this.expectations.wakes();
  }

  /** The client reads. The number to ack, when it is time to. */
  read(count = Number.POSITIVE_INFINITY): number | undefined {
    for (const { text, frame, request } of this.#unread.splice(0, count)) {
      this.#unreadCharacters -= text.length;
      this.#unackedByClient += text.length;
      this.#apply(frame, request);
    }
    const seq = this.#shownAt ?? this.view.cursor?.seq;
    if (!this.manners.acks || seq === undefined) return undefined;
    if (this.#unackedByClient < WINDOW_CHARACTERS / 2 && this.#acked) return undefined;
    this.#unackedByClient = 0;
    return seq;
  }

  /** The room reads an ack. */
  acks(seq: number): void {
    this.#acked = true;
    this.#inFlight = this.#inFlight.filter((sent) => sent.seq > seq);
  }

  #apply(frame: RoomFrame, { since }: Request): void {
    const { view } = this;
    switch (frame.type) {
      case 'gap':
        this.#forgetParts();
        return;
      case 'subscribed':
        this.#forgetParts();
        if (frame.recovered) view.cursor = since && { epoch: frame.epoch, seq: since.seq };
        return;
      case 'snapshot':
        this.#parts.push(...frame.events);
        this.#shownAt = frame.seq;
        if (frame.more) return;
        view.latest.clear();
        for (const { seq, event } of this.#parts) view.latest.set(String(event.key), seq);
        view.cursor = { epoch: frame.epoch, seq: frame.seq };
        this.#forgetParts();
        return;
      case 'events': {
        if (view.cursor === undefined) return;
        const last = frame.events.at(-1)?.seq ?? view.cursor.seq;
        for (const { seq, event } of frame.events) view.latest.set(String(event.key), seq);
        view.cursor = { epoch: view.cursor.epoch, seq: last };
        return;
      }
    }
  }

  #forgetParts(): void {
    this.#shownAt = undefined;
    this.#parts = [];
  }
}
