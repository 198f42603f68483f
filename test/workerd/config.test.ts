import { createExecutionContext } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';
import { app } from '../../worker/app.ts';
import {
  DEVELOPMENT_INGEST_SECRET,
  DEVELOPMENT_JWT_SECRET,
} from '../../worker/protocol/environment/development.ts';

const GOOD = {
  ROOM: env.ROOM,
  ENVIRONMENT: 'local',
  INGEST_SECRET: DEVELOPMENT_INGEST_SECRET,
  JWT_SECRET: DEVELOPMENT_JWT_SECRET,
};

describe('a Worker', () => {
  it.each([
    ['that is deployed with the development secrets', { ENVIRONMENT: undefined }, 'INGEST_SECRET'],
    ['without an ingest secret', { INGEST_SECRET: undefined }, 'INGEST_SECRET'],
    ['whose ingest secret is no whsec_', { INGEST_SECRET: 'x' }, 'INGEST_SECRET'],
    [
      'whose publishers’ secret is too short',
      { PUBLISHER_SECRET: 'whsec_eA==' },
      'PUBLISHER_SECRET',
    ],
    [
      'whose publishers have a bridge’s secret',
      { PUBLISHER_SECRET: DEVELOPMENT_INGEST_SECRET },
      'PUBLISHER_SECRET',
    ],
    ['whose JWT secret is short', { JWT_SECRET: 'short' }, 'JWT_SECRET'],
    ['in an unknown region', { HOME_REGION: 'moon' }, 'HOME_REGION'],
    ['with room for no socket', { ROOM_MAX_SOCKETS: '0' }, 'ROOM_MAX_SOCKETS'],
    ['that knows a symbol that can be none', { SYMBOLS: 'BTC-USDC <b>' }, 'SYMBOLS'],
    ['that is told to know no symbol', { SYMBOLS: ' , ' }, 'SYMBOLS'],
    ['with room for one follower', { ROOM_MAX_FOLLOWERS: '1' }, 'ROOM_MAX_FOLLOWERS'],
    ['whose page is neither on nor off', { PAGE: 'yes' }, 'PAGE'],
  ])('%s serves nothing and names the variable', async (_, change, variable) => {
    for (const path of ['/health', '/v1/rooms/price:X', '/v1/events']) {
      const request = new Request(`https://gateway.test${path}`, {
        method: path === '/v1/events' ? 'POST' : 'GET',
      });
      const response = await app.fetch(request, { ...GOOD, ...change }, createExecutionContext());
      expect(response.status).toBe(503);
      const { error } = await response.json<{ error: { code: string; message: string } }>();
      expect(error.code).toBe('config_invalid');
      expect(error.message).toContain(variable);
    }
  });

  it.each(['weur', 'apac-ne', 'apac-se', 'me'])('with all of it serves: in %s', async (region) => {
    const request = new Request('https://gateway.test/health');
    const variables = { ...GOOD, HOME_REGION: region, ROOM_MAX_SOCKETS: '5000' };
    const response = await app.fetch(request, variables, createExecutionContext());
    expect(response.status).toBe(200);
  });
});
