/** The live page on the local stack: one stack for all of it, since to start one takes its time. */
import { afterAll, beforeAll, describe } from 'vitest';
import { type Gateway, startGateway } from '../../path/gateway.ts';
import { testAppearance } from './appearance.ts';
import { testLegibility } from './legibility.ts';
import { testParts } from './parts.ts';

/** More than a stack is given to start, so that one that does not is stopped. */
const START_TIMEOUT_MS = 90_000;
/** Some hundred events a second: nothing has to be waited for. */
const FEED = { FEED: 'on', FEED_SPEED: '2' };

let gateway: Gateway;
const url = () => gateway.url.replace('ws', 'http');

beforeAll(async () => {
  gateway = await startGateway(FEED);
}, START_TIMEOUT_MS);
afterAll(() => gateway?.stop());

describe('its parts', () => testParts(url));
describe('its appearance', () => testAppearance(url));
describe('its legibility', () => testLegibility(url));
