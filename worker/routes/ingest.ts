/**
 * POST /v1/events: a signed batch, from the bridge or from a publisher. The bytes are verified before
 * they are parsed. 200 means that every room has its events; whatever else is answered, the sender
 * may send it all again.
 */
import { type Context, Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { configOf, type IngestKey } from '../config.ts';
import type { Env } from '../env.ts';
import { answerFor } from '../ingest/answer.ts';
import { appendAll } from '../ingest/append.ts';
import { type Routed, routePositioned, routeUnpositioned } from '../ingest/route.ts';
import { MAX_BATCH_BYTES, MAX_BATCH_RECORDS } from '../protocol/batch/batch.ts';
import { type BatchReading, readBatch } from '../protocol/batch/read-batch.ts';
import {
  fingerprint,
  TOLERANCE_SECONDS,
  type Verification,
  verify,
} from '../protocol/batch/signature.ts';
import { unreachable } from '../protocol/unreachable.ts';
import { refuse } from '../refusal.ts';
import type { Symbols } from '../symbols.ts';

const TOO_LARGE = `a batch has at most ${MAX_BATCH_BYTES} bytes and ${MAX_BATCH_RECORDS} records`;

export const ingest = new Hono<{ Bindings: Env }>()
  .post(
    '/',
    bodyLimit({
      maxSize: MAX_BATCH_BYTES,
      onError: (c) => refuse(c, 'batch_too_large', TOO_LARGE),
    }),
    async (c) => {
      const now = Date.now();
      const config = await configOf(c.env);
      const body = new Uint8Array(await c.req.arrayBuffer());
      const signature = await verify(config.ingestKeys, (name) => c.req.header(name), body);
      if (signature.kind !== 'verified') return refuseSignature(c, signature.kind);
      const reading = readBatch(body);
      if (reading.kind === 'refused') return refuse(c, reading.code, reading.message);
      if (reading.kind === 'kafka' && signature.key.role === 'publisher') {
        const message = "only a bridge's secret may state source and offset";
        return refuse(c, 'position_forbidden', message);
      }
      const routed = await routeReading(reading, signature, config.symbols, now);
      const outcomes = await appendAll(c.env, config, routed.rooms);
      const answer = answerFor(reading.batch.records.length, routed, outcomes);
      if (answer.kind === 'failed') {
        const message = 'not every room has its events: send the batch again';
        return refuse(c, answer.code, message, answer.retryAfter);
      }
      for (const [room, records] of answer.renumbered) {
        console.warn({ event: 'positions_renumbered', room, partitions: records });
      }
      return c.json(answer.body);
    },
  )
  .all('/', (c) => {
    c.header('Allow', 'POST');
    return refuse(c, 'method_not_allowed', 'batches are POSTed');
  });

type Verified = Verification<IngestKey> & { readonly kind: 'verified' };

async function routeReading(
  reading: Exclude<BatchReading, { readonly kind: 'refused' }>,
  { key, id, timestamp }: Verified,
  symbols: Symbols,
  now: number,
): Promise<Routed> {
  if (reading.kind === 'kafka') return routePositioned(reading, symbols, now);
  const webhookId = await fingerprint(`${key.fingerprint} ${id}`);
  const staleAt = (timestamp + TOLERANCE_SECONDS) * 1000;
  return routeUnpositioned(reading, { webhookId, staleAt }, symbols, now);
}

function refuseSignature(
  c: Context,
  kind: Exclude<Verification<IngestKey>['kind'], 'verified'>,
): Response {
  switch (kind) {
    case 'missing':
      return refuse(c, 'signature_missing', 'webhook-id, -timestamp and -signature are required');
    case 'stale': {
      // The sender learns how far its clock is off, which it cannot know otherwise.
      const ahead = Number(c.req.header('webhook-timestamp')) - Math.round(Date.now() / 1000);
      const how = ahead > 0 ? 'ahead of' : 'behind';
      const message = `webhook-timestamp is ${Math.abs(ahead)} s ${how} the gateway's clock, and may be ${TOLERANCE_SECONDS} s`;
      return refuse(c, 'signature_stale', message);
    }
    case 'invalid':
      return refuse(c, 'signature_invalid', 'no known secret signed this body');
    default:
      return unreachable(kind);
  }
}
