/**
 * Whether Kafka's clocks and ours agree, as far as its records show. A room knows by the time of a record
 * that its topic was made anew, so records of the future do harm long after they were written.
 */
import { type Check, check, fine, outcome, warning } from '../check.ts';

/** A clock may be off by less without harm. */
const AHEAD_MS = 60_000;

export const recordTimeChecks: readonly Check[] = [
  check({
    id: 'kafka.clock',
    needs: ['admin', 'present'],
    run: async ({ admin, present: { topics } }, { now }) => {
      const ahead: string[] = [];
      for (const topic of topics) {
        const ends = await admin.fetchTopicOffsets(topic);
        // A partition without records after that time answers with its end, which may have grown.
        const later = await admin.fetchTopicOffsetsByTimestamp(topic, now() + AHEAD_MS);
        for (const { partition, offset } of later) {
          const end = ends.find((other) => other.partition === partition)?.high ?? offset;
          if (BigInt(offset) < BigInt(end)) ahead.push(`${topic}/${partition} from ${offset} on`);
        }
      }
      if (ahead.length === 0) return outcome([fine('No record is of a time that has not come.')]);
      const message = `Records are of a time that has not come by this host's clock: ${ahead.join(', ')}.`;
      return outcome([warning('record_ahead', message)]);
    },
  }),
];
