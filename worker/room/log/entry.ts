/** An entry: an event with its number in a log. Its text for frames is composed once. */
import { encodeEntry } from '../../protocol/frames.ts';
import { type BatchTimes, decodeTimes, encodeTimes, type Timed } from './times.ts';

export interface Entry extends Timed {
  readonly seq: number;
  /** `{"seq":…,"event":…}`, as it stands in frames. */
  readonly text: string;
  /** Snapshots and conflation keep the latest entry of each key; undefined when every event counts. */
  readonly key: string | undefined;
  /** Unix ms after which it is neither sent nor replayed. */
  readonly expiresAt: number;
  /** Whether the event itself said when it expires. Then nobody misses it afterwards. */
  readonly perishable: boolean;
}

/** These join saved entries and their fields: control characters occur nowhere in JSON text. */
const RECORD_SEPARATOR = '\u001e';
const UNIT_SEPARATOR = '\u001f';

/** Encodes entries as one column of a row. Their JSON is stored as it is, without escapes. */
export function encodeEntries(entries: readonly Entry[]): string {
  return entries.map(encode).join(RECORD_SEPARATOR);
}

/** As `encodeEntries`, with the times of the entries, for another object. */
export function encodeTimedEntries(entries: readonly Entry[]): string {
  let before: BatchTimes | undefined;
  const lines = entries.map((entry) => {
    const times = encodeTimes(entry, before);
    before = entry.batchTimes;
    return times === undefined ? encode(entry) : `${encode(entry)}${UNIT_SEPARATOR}${times}`;
  });
  return lines.join(RECORD_SEPARATOR);
}

/** The inverse of both. */
export function decodeEntries(column: string): Entry[] {
  if (column === '') return [];
  let before: BatchTimes | undefined;
  return column.split(RECORD_SEPARATOR).map((line) => {
    const [seq = '', key = '', expiresAt = '', perishable = '', text = '', timesText] =
      line.split(UNIT_SEPARATOR);
    const { kafkaAt, batchTimes } = decodeTimes(timesText, before);
    before = batchTimes;
    return {
      seq: Number(seq),
      text,
      key: key === '' ? undefined : key,
      expiresAt: Number(expiresAt),
      perishable: perishable === '1',
      kafkaAt,
      batchTimes,
    };
  });
}

function encode({ seq, key, expiresAt, perishable, text }: Entry): string {
  return [seq, key ?? '', expiresAt, perishable ? 1 : 0, text].join(UNIT_SEPARATOR);
}

export function newEntry(seq: number, event: string, fields: Omit<Entry, 'seq' | 'text'>): Entry {
  return { seq, text: encodeEntry(seq, event), ...fields };
}
