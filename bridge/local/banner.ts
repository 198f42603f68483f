/** What `npm start` says when all is up: where things are, and what to try. */
import { DEFAULT_KAFKA_PORT, DEFAULT_PORT, type StackConfig } from './config.ts';
import { DEMO_ROOM, DEMO_USER } from './demo-token.ts';

export function banner(config: StackConfig, brokers: string, token: string): string {
  const { port, bridgePort } = config;
  const watchPort = port === DEFAULT_PORT ? '' : `PORT=${port} `;
  const feed = config.feed === undefined ? '' : ', fed with a sample market (FEED=off: without)';
  const produceTo = brokers.endsWith(`:${DEFAULT_KAFKA_PORT}`) ? '' : `KAFKA_BROKERS=${brokers} `;
  return `
The gateway is up${feed}. Ctrl-C stops it; its state stays in ${config.stateDir}

  live page http://localhost:${port}/

  all rooms ws://localhost:${port}/v1/ws
  one room  ws://localhost:${port}/v1/rooms/price:BTC-USDC
  ingest    http://localhost:${port}/v1/events
  kafka     ${brokers}
  bridge    http://localhost:${bridgePort}/health  /ready  /metrics

A token of ${DEMO_USER}, good for user:${DEMO_USER} and ${DEMO_ROOM} for a day:
  TOKEN=${token}

Secrets of this stack, each overridable by its variable:
  INGEST_SECRET=${config.ingestSecret}
  PUBLISHER_SECRET=${config.publisherSecret}
  JWT_SECRET=${config.jwtSecret}

Try, in more terminals:
  ${watchPort}npm run watch -- price:BTC-USDC orderbook:BTC-USDC trade:BTC-USDC price_updates system
  ${watchPort}TOKEN=… npm run watch -- user:${DEMO_USER}               # with the TOKEN above
  ${produceTo}npm run produce -- test/fixtures/guide-events.json
`;
}
