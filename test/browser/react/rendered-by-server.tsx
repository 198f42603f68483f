/** What a server renders, and what a page makes of it in its place. */
import { type ReactNode, StrictMode } from 'react';
import { GatewayClient } from '../../../worker/client/index.ts';
import {
  GatewayProvider,
  useGatewayStatus,
  useLatest,
  useRoom,
} from '../../../worker/client/react/index.ts';

function Tape(): ReactNode {
  const { events, status } = useRoom('trade:SERVER-USDC', { keep: 3 });
  const latest = useLatest('trade:SERVER-USDC');
  const overall = useGatewayStatus();
  return (
    <p>
      {overall}, {status.state}, {latest?.data.tradeId ?? 'none'},{' '}
      {events.map(({ event }) => event.data.tradeId).join(' ')}
    </p>
  );
}

export function App({ url }: { readonly url: string }): ReactNode {
  return (
    <StrictMode>
      <GatewayProvider client={new GatewayClient({ url })}>
        <Tape />
      </GatewayProvider>
    </StrictMode>
  );
}
