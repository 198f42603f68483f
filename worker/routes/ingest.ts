/**
 * POST /v1/events: a signed batch, from the bridge or from a publisher. The bytes are verified
 * before they are parsed; each record is validated and routed by itself; each room is called once.
 * 200 means that every room has its events, so whatever else happens the sender sends it all again.
 */
import { type Context, Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { type Config, configOf, type IngestKey } from '../config.ts';
import type { Env } from '../env.ts';
import {
  type BatchAnswer,
  MAX_BATCH_BYTES,
  MAX_BATCH_RECORDS,
  type Rejection,
} from '../protocol/batch.ts';
import type { HttpErrorCode } from '../protocol/codes.ts';
import { type BatchReading, readBatch } from '../protocol/read-batch.ts';
import {
  fingerprint,
  TOLERANCE_SECONDS,
  type Verification,
  verify,
} from '../protocol/signature.ts';
import { unreachable } from '../protocol/unreachable.ts';
import { refuse } from '../refusal.ts';
import type { RoomAnswer, RoomBatch } from '../room/intake/intake.ts';
import { pack } from '../room/intake/packed-batch.ts';
import { routeBatch } from '../routing.ts';
import { roomStub } from './room-stub.ts';

const TOO_LARGE = `a batch has at most ${MAX_BATCH_BYTES} bytes and ${MAX_BATCH_RECORDS} records`;

export const ingest = new Hono<{ Bindings: Env }>()
  .post(
    '/',
    bodyLimit({
      maxSize: MAX_BATCH_BYTES,
      onError: (c) => refuse(c, 'batch_too_large', TOO_LARGE),
    }),
    async (c) => {
      const config = await configOf(c.env);
      const body = new Uint8Array(await c.req.arrayBuffer());
      const signature = await verify(config.ingestKeys, (name) => c.req.header(name), body);
      if (signature.kind !== 'verified') return refuseSignature(c, signature.kind);
      const reading = readBatch(body);
      if (reading.kind === 'refused') return refuse(c, reading.code, reading.message);
      if (reading.kind === 'kafka' && signature.key.role === 'publisher') {
        return refuse(
          c,
          'position_forbidden',
          "only a bridge's secret may state source and offset",
        );
      }
      const { batches, rejected } = await split(reading, signature, Date.now());
      const outcomes = await appendAll(c.env, config, batches);
      return answer(c, reading.batch.records.length, rejected, batches, outcomes);
    },
  )
  .all('/', (c) => {
    c.header('Allow', 'POST');
    return refuse(c, 'method_not_allowed', 'batches are POSTed');
  });

function refuseSignature(c: Context, kind: 'missing' | 'stale' | 'invalid'): Response {
  switch (kind) {
    case 'missing':
      return refuse(c, 'signature_missing', 'webhook-id, -timestamp and -signature are required');
    case 'stale':
      return refuse(
        c,
        'signature_stale',
        `webhook-timestamp is more than ${TOLERANCE_SECONDS} s away from now`,
      );
    case 'invalid':
      return refuse(c, 'signature_invalid', 'no known secret signed this body');
    default:
      return unreachable(kind);
  }
}

/** The batch, by room. */
async function split(
  reading: Exclude<BatchReading, { kind: 'refused' }>,
  { key, id, timestamp }: Verification<IngestKey> & { readonly kind: 'verified' },
  now: number,
): Promise<{ batches: ReadonlyMap<string, RoomBatch>; rejected: readonly Rejection[] }> {
  const batches = new Map<string, RoomBatch>();
  if (reading.kind === 'kafka') {
    const { source, records } = reading.batch;
    const { rooms, rejected } = routeBatch(records, reading.sources, now);
    for (const [room, list] of rooms) batches.set(room, { kind: 'kafka', source, records: list });
    return { batches, rejected };
  }
  const webhookId = await fingerprint(`${key.fingerprint} ${id}`);
  const staleAt = (timestamp + TOLERANCE_SECONDS) * 1000;
  const { rooms, rejected } = routeBatch(reading.batch.records, reading.sources, now);
  for (const [room, list] of rooms) {
    batches.set(room, { kind: 'webhook', webhookId, staleAt, records: list });
  }
  return { batches, rejected };
}

type Outcome = RoomAnswer | { readonly kind: 'failed' };

/** One call per room, side by side. */
function appendAll(
  env: Env,
  config: Config,
  batches: ReadonlyMap<string, RoomBatch>,
): Promise<Outcome[]> {
  return Promise.all(
    Array.from(batches, async ([room, batch]): Promise<Outcome> => {
      try {
        return await roomStub(env, config, room).append(pack(batch));
      } catch (error) {
        console.error({ event: 'room_failed', room, error: String(error) });
        return { kind: 'failed' };
      }
    }),
  );
}

/** A record is a duplicate when every room that it goes to had it. */
function answer(
  c: Context,
  recordCount: number,
  rejected: readonly Rejection[],
  batches: ReadonlyMap<string, RoomBatch>,
  outcomes: readonly Outcome[],
): Response {
  const failure = outcomes.find((outcome) => outcome.kind !== 'taken');
  if (failure !== undefined) {
    const code: HttpErrorCode = failure.kind === 'busy' ? 'batch_too_frequent' : 'room_unavailable';
    return refuse(c, code, 'not every room has its events: send the batch again');
  }
  const verdicts = new Array<Verdict | undefined>(recordCount);
  const rejections = [...rejected];
  for (const { index } of rejected) verdicts[index] = 'rejected';
  for (const [position, [room, { records }]] of [...batches].entries()) {
    const outcome = outcomes[position];
    if (outcome?.kind !== 'taken') continue;
    if (outcome.renumbered > 0) {
      console.warn({ event: 'positions_renumbered', room, partitions: outcome.renumbered });
    }
    const duplicates = new Set(outcome.duplicates);
    for (const rejection of outcome.rejected) {
      rejections.push(rejection);
      verdicts[rejection.index] = 'rejected';
    }
    for (const { index } of records) {
      if (duplicates.has(index)) verdicts[index] ??= 'duplicate';
      else if (verdicts[index] !== 'rejected') verdicts[index] = 'accepted';
    }
  }
  const count = (wanted: Verdict) => verdicts.filter((verdict) => verdict === wanted).length;
  const body: BatchAnswer = {
    accepted: count('accepted'),
    duplicates: count('duplicate'),
    rejected: rejections.sort((a, b) => a.index - b.index),
  };
  return c.json(body);
}

type Verdict = 'accepted' | 'duplicate' | 'rejected';
