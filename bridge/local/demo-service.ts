/**
 * What the live page is given on the local stack only: a token of the demo user, and an alert to
 * everyone that takes the whole way through Kafka. The Worker reaches it by a binding that no deployed
 * gateway has, so the page holds no secret, and asks nobody but the Worker that it came from.
 */
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { DEVELOPMENT_JWT_SECRET } from '../../worker/protocol/environment/development.ts';
import { DEXEventService } from '../publisher/dex-event-service.ts';
import { DEMO_USER, demoToken } from './demo-token.ts';
import { LOOPBACK } from './processes/port.ts';

/** An alert from the page is over soon: it is a demonstration. */
const ALERT_LIFETIME_MS = 60_000;

export interface DemoService {
  /** `host:port`. */
  readonly address: string;
  stop(): Promise<void>;
}

export interface DemoOptions {
  readonly jwtSecret: string;
  /** Undefined when the cluster is not ours to publish alerts into. */
  readonly brokers: string | undefined;
}

/** What the page gets of the demo; each part is left out where there is none. */
export interface Demo {
  readonly user?: string;
  readonly token?: string;
  /** Whether an alert can be sent. */
  readonly alerts?: boolean;
}

export async function startDemoService({ jwtSecret, brokers }: DemoOptions): Promise<DemoService> {
  const events = brokers === undefined ? undefined : eventService(brokers);
  const server = createServer((request, response) => {
    void answer(`${request.method} ${request.url}`).then(
      ([status, body]) => reply(response, status, body),
      (error: unknown) => reply(response, 503, failureOf(error)),
    );
  });
  const answer = async (request: string): Promise<[status: number, body: object]> => {
    if (request === 'GET /page/demo') return [200, await demoOf(jwtSecret, events !== undefined)];
    if (request !== 'POST /page/demo/alerts' || events === undefined) return [404, NOT_FOUND];
    return [200, { alertId: await alert(events) }];
  };
  server.listen(0, LOOPBACK);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    address: `${LOOPBACK}:${port}`,
    async stop() {
      server.closeAllConnections();
      server.close();
      await events?.shutdown();
    },
  };
}

/** Only the public development secret may sign for whoever asks: another one may be in use elsewhere. */
async function demoOf(jwtSecret: string, alerts: boolean): Promise<Demo> {
  if (jwtSecret !== DEVELOPMENT_JWT_SECRET) return { alerts };
  return { alerts, user: DEMO_USER, token: await demoToken(jwtSecret) };
}

async function alert(events: DEXEventService): Promise<string> {
  const alertId = `live-page-${randomUUID()}`;
  await events.initialize();
  const now = Date.now();
  await events.publishSystemAlert(
    {
      alertId,
      level: 'info',
      title: 'An alert to everyone',
      message: 'Sent from a live page, through Kafka',
      category: 'demo',
      expiresAt: now + ALERT_LIFETIME_MS,
    },
    { priority: 'high', source: 'live-page' },
  );
  return alertId;
}

function eventService(brokers: string): DEXEventService {
  return new DEXEventService({ kafka: { brokers: brokers.split(','), clientId: 'live-page' } });
}

const NOT_FOUND = {
  error: { code: 'not_found', message: 'the local stack has no such thing', retry: false },
};

function failureOf(error: unknown) {
  const message = error instanceof Error ? error.message : String(error);
  return { error: { code: 'alert_failed', message, retry: true } };
}

function reply(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' });
  response.end(JSON.stringify(body));
}
