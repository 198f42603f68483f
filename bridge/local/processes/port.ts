/** TCP ports of this machine: free ones, and whether a wanted one is free. */
import { once } from 'node:events';
import { createServer } from 'node:net';
import { SetupError } from '../setup-error.ts';

export const LOOPBACK = '127.0.0.1';

/** A port that nobody listens on, chosen by the operating system. */
export async function freePort(): Promise<number> {
  const [port = 0] = await freePorts(1);
  return port;
}

/** Ports that nobody listens on. They are held until all are there, because one would be given twice. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer());
  const ports: number[] = [];
  for (const server of servers) {
    await once(server.listen(0, LOOPBACK), 'listening');
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('no port was given');
    ports.push(address.port);
  }
  await Promise.all(servers.map((server) => once(server.close(), 'close')));
  return ports;
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
