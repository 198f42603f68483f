/** The consumer group: who is in it, how far it has read, and whether it is the bridge's alone. */
import type { Admin } from 'kafkajs';
import kafkajs from 'kafkajs';
import { measureLag } from '../../kafka/lag.ts';
import { type Check, check, failure, fine, type Observation, outcome, warning } from '../check.ts';
import type { GroupDescription } from '../kafka/broker-connection.ts';
import { partitionCounts } from '../kafka/cluster-view.ts';

/** What Kafka calls the groups of consumers. Connect and others have groups of their own kind. */
const CONSUMERS = 'consumer';
/** How kafkajs assigns partitions. A member that knows another way only cannot share a group with it. */
const ASSIGNER = 'RoundRobinAssigner';

/** What Kafka calls a group that is not there, or is not of the kind that it was asked for. */
const GONE = 'Dead';
const NEWER_KIND = failure(
  'group_foreign',
  'The group has members of a newer protocol than that of the bridge (KIP-848 or later).',
);

export const groupChecks: readonly Check[] = [
  check({
    id: 'kafka.group',
    needs: ['brokers', 'admin', 'cluster', 'consumer', 'present', 'membership'],
    run: async ({ brokers, admin, cluster, consumer: { groupId }, present: { topics } }) => {
      // Each broker is asked, because the search for a coordinator would make Kafka create a topic.
      const answers = await Promise.all(brokers.map((broker) => broker.describeGroup(groupId)));
      const group = answers.find((answer) => answer !== undefined);
      if (group === undefined) {
        return outcome([fine('No consumer group has been used on this cluster yet.')]);
      }
      const { state, members } = group;
      if (state === GONE && (await isListed(admin, groupId))) return outcome([NEWER_KIND]);
      const counts = partitionCounts(cluster);
      const lag = await describeLag(admin, groupId, topics, counts);
      const troubles = judgeGroup(group, topics);
      const size = members.length === 1 ? '1 member' : `${members.length} members`;
      const is = `The group ${groupId} is ${state}, with ${size}${lag}.`;
      return outcome(troubles.length === 0 ? [fine(is)] : troubles);
    },
  }),
];

/** What is wrong with a group for a bridge that reads `topics`. */
export function judgeGroup(group: GroupDescription, topics: readonly string[]): Observation[] {
  const foreign = foreignUse(group, topics);
  const fixed = group.members.filter(
    ({ memberId, clientId }) => !memberId.startsWith(`${clientId}-`),
  );
  return [
    ...(foreign === undefined ? [] : [failure('group_foreign', foreign)]),
    ...(fixed.length === 0
      ? []
      : [warning('group_static', `Members have a fixed identity: ${named(fixed)}.`)]),
  ];
}

function foreignUse(
  { protocolType, protocol, members }: GroupDescription,
  topics: readonly string[],
): string | undefined {
  if (protocolType !== '' && protocolType !== CONSUMERS) {
    return `The group is used by something that is no consumer: ${protocolType}.`;
  }
  if (members.length > 0 && protocol !== '' && protocol !== ASSIGNER) {
    return `The group has consumers that share partitions by ${protocol}: ${named(members)}.`;
  }
  const strangers = members.filter((member) => !readsAny(member, topics));
  return strangers.length === 0 ? undefined : `Members read other topics: ${named(strangers)}.`;
}

/** A member that is just joining has not said yet what it reads. */
function readsAny(
  { memberMetadata }: GroupDescription['members'][number],
  topics: readonly string[],
): boolean {
  if (memberMetadata.length === 0) return true;
  const metadata = kafkajs.AssignerProtocol.MemberMetadata.decode(memberMetadata);
  return metadata === null || metadata.topics.some((topic) => topics.includes(topic));
}

function named(members: GroupDescription['members']): string {
  return members.map(({ clientId, clientHost }) => `${clientId} at ${clientHost}`).join(', ');
}

async function isListed(admin: Admin, groupId: string): Promise<boolean> {
  const { groups } = await admin.listGroups();
  return groups.some((group) => group.groupId === groupId);
}

async function describeLag(
  admin: Admin,
  groupId: string,
  topics: readonly string[],
  counts: ReadonlyMap<string, number>,
): Promise<string> {
  const partitions = topics.flatMap((topic) =>
    Array.from({ length: counts.get(topic) ?? 0 }, (_, partition) => ({ topic, partition })),
  );
  if (partitions.length === 0) return '';
  const lags = await measureLag(admin, groupId, partitions);
  const behind = lags.reduce((sum, { lag }) => sum + lag, 0);
  const unread = lags.filter(({ position }) => position === undefined).length;
  const never =
    unread === 0 ? '' : `, and has no position in ${unread} of ${lags.length} partitions`;
  return `; it is ${behind} records behind${never}`;
}
