/** The bridge's own HTTP: `/health` (it lives), `/ready` (it delivers, or why not), `/metrics`. */
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { Registry } from 'prom-client';
import type { Readiness } from './readiness.ts';

export interface ServerPorts {
  readonly readiness: Readiness;
  readonly registry: Registry;
}

/** Resolves once it listens. @throws when the address is taken. */
export async function startServer(host: string, port: number, ports: ServerPorts): Promise<Server> {
  const server = createServer((request, response) => {
    // The path is cut off the raw text: a request such as `GET //` is no URL that could be parsed.
    const [path = '/'] = (request.url ?? '/').split('?');
    answer(path, ports, response).catch(() => response.destroy());
  });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', reject);
  server.listen(port, host, resolve);
  await promise;
  return server;
}

async function answer(
  path: string,
  { readiness, registry }: ServerPorts,
  response: ServerResponse,
): Promise<void> {
  switch (path) {
    case '/health':
      return sendJson(response, 200, { status: 'ok' });
    case '/ready': {
      const { ready, problems, details } = readiness;
      return sendJson(response, ready ? 200 : 503, { ready, problems, details });
    }
    case '/metrics':
      response.writeHead(200, { 'content-type': registry.contentType });
      response.end(await registry.metrics());
      return;
    default:
      return sendJson(response, 404, { error: { code: 'not_found', message: `no ${path} here` } });
  }
}

function sendJson(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}
