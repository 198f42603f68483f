import { useCallback, useSyncExternalStore } from 'react';
import type { ConnectionStatus } from '../index.ts';
import { useGateway } from './provider.ts';

/**
 * How the client is doing, for a badge: `open` when every room is open, or else the state of one that
 * is not; `idle` without rooms.
 *
 * @example
 * const isLive = useGatewayStatus() === 'open';
 */
export function useGatewayStatus(): ConnectionStatus['state'] {
  const { client, frames } = useGateway();
  const listen = useCallback(
    (listener: () => void) => client.on('status', () => frames.request(listener)),
    [client, frames],
  );
  return useSyncExternalStore(
    listen,
    () => client.status,
    () => 'idle',
  );
}
