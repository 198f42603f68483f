/**
 * What the wire says of each room: where its cursor is, what was conflated, what was missed while the
 * connection was lost, and what cannot be had any more. Frames in, rows out.
 */
import type { Frame } from './frame.ts';

export interface RoomRow {
  readonly room: string;
  /** `joining` until it is subscribed, `away` while there is no connection. */
  state: 'joining' | 'live' | 'away' | 'refused';
  /** Undefined before the first `subscribed`. */
  epoch: number | undefined;
  /** Everything up to it has come. */
  seq: number;
  /** Events that were left out on purpose, because newer ones stood for them. */
  conflated: number;
  gaps: number;
  /** Up to here, events were missed while the connection was lost. */
  resumeTo: number;
}

/** What became of what was missed while the connection was lost. */
export interface Resume {
  missed: number;
  /** Sent after all. */
  again: number;
  /** Left out, because newer ones stood for them. */
  replaced: number;
  /** Of which a gap has told that they cannot be had any more. */
  lost: number;
}

export class Rooms {
  readonly #rows = new Map<string, RoomRow>();
  #resume: Resume | undefined;
  #losses = 0;

  get rows(): readonly RoomRow[] {
    return [...this.#rows.values()];
  }

  /** How often the connection has been lost. */
  get losses(): number {
    return this.#losses;
  }

  /** Undefined before a connection has been lost. */
  get resume(): Resume | undefined {
    return this.#resume;
  }

  get gaps(): number {
    return this.rows.reduce((sum, { gaps }) => sum + gaps, 0);
  }

  get conflated(): number {
    return this.rows.reduce((sum, { conflated }) => sum + conflated, 0);
  }

  /** The room is going to be subscribed to. */
  expect(room: string): void {
    if (!this.#rows.has(room)) this.#rows.set(room, newRow(room));
  }

  forget(room: string): void {
    this.#rows.delete(room);
  }

  refused(room: string): void {
    const row = this.#rows.get(room);
    if (row !== undefined) row.state = 'refused';
  }

  /** The connection is lost: what is missed from now on is counted anew. */
  disconnected(): void {
    // An attempt that fails loses nothing.
    if (!this.rows.some(({ state }) => state === 'live')) return;
    this.#losses++;
    this.#resume = { missed: 0, again: 0, replaced: 0, lost: 0 };
    for (const row of this.#rows.values()) row.state = 'away';
  }

  /** @returns how many of the frame's events were missed before, and so say nothing of the latency. */
  observe(frame: Frame): number {
    if (!('room' in frame)) return 0;
    // Each socket brings `system` without asking.
    if (frame.room === 'system') this.expect(frame.room);
    const row = this.#rows.get(frame.room);
    if (row === undefined) return 0;
    switch (frame.type) {
      case 'subscribed':
        this.#subscribed(row, frame);
        return 0;
      case 'snapshot':
        if (!frame.more) Object.assign(row, { epoch: frame.epoch, seq: frame.seq });
        return 0;
      case 'events':
        return this.#advance(row, frame);
      case 'gap':
        this.#lose(row, frame);
        return 0;
    }
  }

  #subscribed(row: RoomRow, { epoch, seq, recovered }: Frame & { type: 'subscribed' }): void {
    const wasAway = row.state === 'away';
    row.state = 'live';
    if (recovered && row.epoch === epoch && wasAway) {
      row.resumeTo = seq;
      if (this.#resume !== undefined) this.#resume.missed += Math.max(0, seq - row.seq);
    }
    if (row.epoch === undefined) row.seq = seq;
    row.epoch = epoch;
  }

  #advance(row: RoomRow, { after, events }: Frame & { type: 'events' }): number {
    const last = events.at(-1)?.seq ?? after;
    const before = row.seq;
    const start = Math.max(after, before);
    const fresh = events.filter(({ seq }) => seq > start);
    const isMissed = (seq: number) => seq <= row.resumeTo;
    const again = fresh.filter(({ seq }) => isMissed(seq)).length;
    row.conflated += Math.max(0, last - start - fresh.length);
    row.seq = Math.max(before, last);
    if (this.#resume !== undefined && start < row.resumeTo) {
      this.#resume.again += again;
      this.#resume.replaced += Math.min(last, row.resumeTo) - start - again;
    }
    return events.length - fresh.length + again;
  }

  #lose(row: RoomRow, { epoch, from, to }: Frame & { type: 'gap' }): void {
    row.gaps++;
    // Numbers of two epochs cannot be subtracted.
    const count = row.epoch === epoch ? Math.max(0, to - from) : 0;
    if (this.#resume === undefined) return;
    this.#resume.missed += count;
    this.#resume.lost += count;
  }
}

function newRow(room: string): RoomRow {
  return {
    room,
    state: 'joining',
    epoch: undefined,
    seq: 0,
    conflated: 0,
    gaps: 0,
    resumeTo: 0,
  };
}
