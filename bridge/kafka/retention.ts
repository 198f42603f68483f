/**
 * What it means that Kafka no longer had the offset that was to be read next. Only this is judged, and
 * never a hole between two records: compaction and transactions leave holes in which nothing was lost.
 */

/** The offsets that a partition has, in decimal: `[low, high)`. */
export interface LogRange {
  readonly low: string;
  readonly high: string;
}

export type ResetCause =
  /** Retention deleted records before we read them: `lost` of them, or fewer if the log had holes. */
  | { kind: 'retention'; lost: number }
  /** The log ends before our position: the topic was deleted and recreated, or truncated. */
  | { kind: 'restarted' };

export function judgeReset(expected: string, { low }: LogRange): ResetCause {
  const lost = BigInt(low) - BigInt(expected);
  return lost > 0n ? { kind: 'retention', lost: Number(lost) } : { kind: 'restarted' };
}
