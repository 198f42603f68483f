/** What a connection needs of the client, and of whom it serves. */
import type { OnError } from '../errors.ts';
import type { TokenSource } from '../token.ts';
import type { ConnectionStatus } from './connection-state.ts';
import type { Platform } from './platform.ts';
import type { LogFrame, SocketError, Welcome } from './wire.ts';

/** What all connections of a client share. */
export interface ConnectionOptions {
  readonly platform: Platform;
  readonly tokens: TokenSource;
  readonly parse: (text: string) => unknown;
}

/** What a connection serves: the rooms that use it. */
export interface ConnectionOwner {
  readonly onError: OnError;
  /** Where to connect to, asked at each attempt. `home` is where the gateway wants us back. */
  address(home?: string): URL;
  welcomed(welcome: Welcome): void;
  /** What is about rooms. */
  receive(frame: LogFrame): void;
  /** All of a message has been received; `length` is that of its text. */
  received(length: number): void;
  /** A message was refused, or something that a room had. */
  refused(error: SocketError, reason: string): void;
  disconnected(): void;
  statusChanged(status: ConnectionStatus): void;
}
