/** TCP ports of this machine: free ones, and whether a wanted one is free. */
import { once } from 'node:events';
import { createServer } from 'node:net';
import { SetupError } from '../setup-error.ts';

export const LOOPBACK = '127.0.0.1';

/** A port that nobody listens on, chosen by the operating system. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await once(server.listen(0, LOOPBACK), 'listening');
  const address = server.address();
  await once(server.close(), 'close');
  if (address === null || typeof address === 'string') throw new Error('no port was given');
  return address.port;
}

/** @throws {SetupError} when `port` is taken; `variable` is what sets another one. */
export async function requireFreePort(port: number, variable: string): Promise<void> {
  const server = createServer();
  try {
    await once(server.listen(port, LOOPBACK), 'listening');
  } catch (error) {
    throw new SetupError(
      `Port ${port} ${reason(error)}: stop what uses it, or set ${variable} to another port.`,
      { cause: error },
    );
  }
  await once(server.close(), 'close');
}

function reason(error: unknown): string {
  if (error instanceof Error && 'code' in error) {
    if (error.code === 'EADDRINUSE') return 'is in use, perhaps by another npm start';
    if (error.code === 'EACCES') return 'needs rights that we do not have';
  }
  return `cannot be listened on (${error instanceof Error ? error.message : String(error)})`;
}
