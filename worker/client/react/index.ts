/** The hooks for React. The examples are at `GatewayProvider` and at each hook. */
export { GatewayProvider, type GatewayProviderProps, useGatewayClient } from './provider.ts';
export type { RoomState } from './room-store.ts';
export { useGatewayStatus } from './use-gateway-status.ts';
export { useLatest } from './use-latest.ts';
export { type UseRoomOptions, useRoom } from './use-room.ts';
