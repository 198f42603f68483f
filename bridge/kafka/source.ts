/**
 * The source that a batch names: whose partitions and offsets its positions are. A room tells feeds
 * apart by it, so it must be the same at every start, and one that the Worker takes. Not every cluster has
 * an id that can be used: Kafka's has 22 characters, other brokers answer none or a longer one.
 */
import { createHash } from 'node:crypto';
import { MAX_SOURCE_LENGTH } from '../../worker/protocol/batch/batch.ts';

export interface SourceOptions {
  /** The brokers as they are configured, which stand for a cluster that has no id. */
  readonly brokers: readonly string[];
  /**
   * What stands before each topic's name. Two estates on one cluster have different prefixes, and the
   * same offsets under the same plain names.
   */
  readonly topicPrefix: string;
}

/** @param clusterId what the cluster answers, whatever that is. */
export function sourceOf(clusterId: unknown, { brokers, topicPrefix }: SourceOptions): string {
  const id =
    typeof clusterId === 'string' && clusterId.trim() !== ''
      ? clusterId
      : `brokers:${hash([...brokers].sort().join())}`;
  const source = topicPrefix === '' ? id : `${id}/${topicPrefix}`;
  return source.length <= MAX_SOURCE_LENGTH ? source : `hash:${hash(source)}`;
}

function hash(text: string): string {
  return createHash('sha256').update(text).digest('base64url');
}
