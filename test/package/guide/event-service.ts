// The guide's own file of this name is what the package is.
export { DEXEventService } from '@moonx-farm/websocket-gateway';
