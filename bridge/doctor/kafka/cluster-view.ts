/** A cluster as one of its brokers describes it. */
import type { BrokerConnection, ClusterMetadata } from './broker-connection.ts';

export interface ClusterView {
  readonly metadata: ClusterMetadata;
  /** The connection over which it was described, which any later question may use. */
  readonly broker: BrokerConnection;
}

/** The topics that the user may see, each with its number of partitions. */
export function partitionCounts({ metadata }: ClusterView): ReadonlyMap<string, number> {
  return new Map(
    metadata.topicMetadata.map(({ topic, partitionMetadata }) => [topic, partitionMetadata.length]),
  );
}

/** `host:port`, an IPv6 address in brackets. */
export function addressOf({ host, port }: { host: string; port: number }): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Whether `address` means the machine that uses it, whichever that is. */
export function isLoopback(address: string): boolean {
  return /^(localhost|127(\.\d+){3}|\[::1\]):\d+$/i.test(address);
}
