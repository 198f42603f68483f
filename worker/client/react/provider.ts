/** Gives a client to the hooks below it. */
import {
  createContext,
  createElement,
  type ReactElement,
  type ReactNode,
  useContext,
  useMemo,
} from 'react';
import type { GatewayClient } from '../index.ts';
import { Frames } from './frames.ts';

/** What all hooks below a provider share. */
interface Gateway {
  readonly client: GatewayClient;
  readonly frames: Frames;
}

const GatewayContext = createContext<Gateway | undefined>(undefined);

export interface GatewayProviderProps {
  /**
   * Made once, outside of any component. It has no connection until a room is used, and none after the
   * last component that uses one is gone.
   */
  readonly client: GatewayClient;
  readonly children?: ReactNode;
}

/**
 * Gives its client to the hooks of all components below.
 *
 * @example
 * const client = new GatewayClient({ url: 'wss://gateway.example' });
 * root.render(<GatewayProvider client={client}><App /></GatewayProvider>);
 */
export function GatewayProvider({ client, children }: GatewayProviderProps): ReactElement {
  const value = useMemo(() => ({ client, frames: new Frames() }), [client]);
  return createElement(GatewayContext.Provider, { value }, children);
}

export function useGateway(): Gateway {
  const gateway = useContext(GatewayContext);
  if (!gateway) throw new Error('there is no <GatewayProvider> above this component');
  return gateway;
}

/**
 * The client of the provider, for what no hook is made for.
 *
 * @throws {Error} when there is no provider above the component.
 */
export function useGatewayClient(): GatewayClient {
  return useGateway().client;
}
