/** A bridge and a publisher, as the Worker under test sees them. */
import { exports } from 'cloudflare:workers';
import type { BatchAnswer } from '../../../worker/protocol/batch/batch.ts';
import { importSecret, sign } from '../../../worker/protocol/batch/signature.ts';
import {
  DEVELOPMENT_INGEST_SECRET,
  DEVELOPMENT_PUBLISHER_SECRET,
} from '../../../worker/protocol/environment/development.ts';

export interface TestRecord {
  readonly topic: string;
  readonly partition?: number;
  readonly offset?: number;
  readonly timestamp?: number;
  /** Text goes into the body as it is; anything else as its JSON. */
  readonly value: unknown;
}

const encoder = new TextEncoder();
let batches = 0;

export function body(records: readonly TestRecord[], source?: string): string {
  const items = records.map(({ value, ...record }) => {
    const head = JSON.stringify(record).slice(0, -1);
    return `${head},"value":${typeof value === 'string' ? value : JSON.stringify(value)}}`;
  });
  const head = source === undefined ? '{' : `{"source":${JSON.stringify(source)},`;
  return `${head}"records":[${items.join()}]}`;
}

/** POSTs bytes signed with `secret`, or with the headers given. */
export async function post(
  bytes: Uint8Array | string,
  options: { secret?: string; id?: string; headers?: Record<string, string> } = {},
): Promise<Response> {
  const { secret = DEVELOPMENT_INGEST_SECRET, id = `batch-${++batches}` } = options;
  const raw = typeof bytes === 'string' ? encoder.encode(bytes) : bytes;
  const headers = options.headers ?? (await sign([await importSecret(secret)], id, raw));
  return exports.default.fetch('https://gateway.test/v1/events', {
    method: 'POST',
    headers,
    body: raw,
  });
}

/** POSTs records as the bridge of cluster `source`: position 0/0/now unless a record says else. */
export async function publish(
  records: readonly TestRecord[],
  source = 'cluster-1',
): Promise<BatchAnswer> {
  const positioned = records.map((record, index) => ({
    partition: 0,
    offset: index,
    timestamp: 1_700_000_000_000 + index,
    ...record,
  }));
  return answerOf(await post(body(positioned, source)));
}

/** POSTs values of one topic as a publisher without Kafka. */
export async function publishWithoutKafka(
  topic: string,
  values: readonly unknown[],
  id?: string,
): Promise<BatchAnswer> {
  const records = values.map((value) => ({ topic, value }));
  const options = id === undefined ? {} : { id };
  return answerOf(await post(body(records), { secret: DEVELOPMENT_PUBLISHER_SECRET, ...options }));
}

async function answerOf(response: Response): Promise<BatchAnswer> {
  if (response.status !== 200) throw new Error(`${response.status}: ${await response.text()}`);
  return response.json();
}

export async function errorCodeOf(response: Response): Promise<string> {
  const { error } = await response.json<{ error: { code: string } }>();
  return error.code;
}
