/**
 * When an entry passed each station on its way here, for those who ask for it (R15). It is known in
 * memory only: an entry that was read back from a disk has no times.
 */
import type { Times } from '../../protocol/frames.ts';

/** When a batch was sent and taken, Unix ms. All entries of a batch share one of these. */
export interface BatchTimes {
  /** When the bridge made the batch; undefined for a batch that did not say it. */
  readonly bridge: number | undefined;
  /** When the Worker received it. */
  readonly worker: number | undefined;
  /** When the room appended it. */
  readonly room: number;
}

/** What an entry keeps of its times. */
export interface Timed {
  /** Kafka's time of its record, Unix ms. */
  readonly kafkaAt?: number | undefined;
  /** Undefined when nothing is known. */
  readonly batchTimes?: BatchTimes | undefined;
}

/** The times of an entry as clients are given them. */
export function timesOf({ kafkaAt, batchTimes }: Timed): Times | undefined {
  if (batchTimes === undefined) return undefined;
  const { bridge, worker, room } = batchTimes;
  return [kafkaAt ?? null, bridge ?? null, worker ?? null, room];
}

const RADIX = 36;

/**
 * The times of an entry in few characters, on their way to another object: how long before its room each
 * station had it, and the time of the room. Of an entry of the same batch as the one before it only
 * Kafka's is written. Undefined when nothing is known.
 */
export function encodeTimes(
  { kafkaAt, batchTimes }: Timed,
  before: BatchTimes | undefined,
): string | undefined {
  if (batchTimes === undefined) return undefined;
  const { bridge, worker, room } = batchTimes;
  const kafka = encodeLead(kafkaAt, room);
  if (batchTimes === before) return kafka;
  return [kafka, encodeLead(bridge, room), encodeLead(worker, room), room.toString(RADIX)].join(
    ' ',
  );
}

/** The inverse of `encodeTimes`. */
export function decodeTimes(text: string | undefined, before: BatchTimes | undefined): Timed {
  if (text === undefined) return NOTHING_KNOWN;
  const [kafka = '', bridge = '', worker = '', roomText] = text.split(' ');
  const batchTimes = roomText === undefined ? before : decodeBatch(bridge, worker, roomText);
  return { kafkaAt: batchTimes && decodeLead(kafka, batchTimes.room), batchTimes };
}

const NOTHING_KNOWN: Timed = { kafkaAt: undefined, batchTimes: undefined };

function decodeBatch(bridge: string, worker: string, roomText: string): BatchTimes {
  const room = Number.parseInt(roomText, RADIX);
  return { bridge: decodeLead(bridge, room), worker: decodeLead(worker, room), room };
}

function encodeLead(time: number | undefined, room: number): string {
  return time === undefined ? '' : (room - time).toString(RADIX);
}

function decodeLead(text: string, room: number): number | undefined {
  return text === '' ? undefined : room - Number.parseInt(text, RADIX);
}
