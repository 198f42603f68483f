/**
 * Two projects: what needs the platform runs in workerd, the rest in Node against a real Kafka.
 */
import { fileURLToPath } from 'node:url';
import { cloudflareTest } from '@cloudflare/vitest-plugin';
import { defineConfig } from 'vitest/config';
import {
  DEVELOPMENT_INGEST_SECRET,
  DEVELOPMENT_JWT_SECRET,
  DEVELOPMENT_PUBLISHER_SECRET,
} from '../worker/protocol/environment/development.ts';

/** What a condition may take on a machine that is as busy. */
const POLL_TIMEOUT_MS = 30_000;
/** Starting Java, workerd and bridges on a busy machine of two cores takes its time. */
const NODE_TIMEOUT_MS = 60_000;
/** The first test of a file in workerd waits until the Worker is loaded. */
const WORKERD_TIMEOUT_MS = 30_000;
const pathOf = (relative: string) => fileURLToPath(new URL(relative, import.meta.url));

// The secrets are given as bindings below; wrangler looks for them elsewhere and would warn.
process.env.WRANGLER_LOG ??= 'error';

export default defineConfig({
  test: {
    root: pathOf('..'),
    projects: [
      {
        plugins: [
          cloudflareTest({
            wrangler: { configPath: pathOf('../wrangler.toml') },
            miniflare: {
              bindings: {
                ENVIRONMENT: 'local',
                INGEST_SECRET: DEVELOPMENT_INGEST_SECRET,
                PUBLISHER_SECRET: DEVELOPMENT_PUBLISHER_SECRET,
                JWT_SECRET: DEVELOPMENT_JWT_SECRET,
                // Few, so that a test can fill a room.
                ROOM_MAX_SOCKETS: '5',
                // Few, so that some rooms make a tree.
                ROOM_MAX_FOLLOWERS: '4',
              },
            },
          }),
        ],
        test: {
          name: 'workerd',
          root: pathOf('..'),
          include: ['test/workerd/**/*.test.ts'],
          globalSetup: ['test/support/built-page.ts'],
          testTimeout: WORKERD_TIMEOUT_MS,
          hookTimeout: WORKERD_TIMEOUT_MS,
        },
      },
      {
        test: {
          name: 'node',
          root: pathOf('..'),
          include: ['test/**/*.test.{ts,tsx}'],
          exclude: ['test/workerd/**', 'test/bench/**'],
          globalSetup: ['test/support/built-page.ts', 'test/support/kafka-broker.ts'],
          testTimeout: NODE_TIMEOUT_MS,
          hookTimeout: NODE_TIMEOUT_MS,
          expect: { poll: { timeout: POLL_TIMEOUT_MS } },
          // Each file may run a broker, a workerd and a bridge of its own.
          pool: 'forks',
          maxWorkers: 2,
        },
      },
    ],
  },
});
