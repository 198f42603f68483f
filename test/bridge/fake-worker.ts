/**
 * A Worker that a test scripts: it speaks the batch protocol, verifies signatures, and appends like
 * a room, once per position. `behave` decides each answer.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { PositionedBatch } from '../../worker/protocol/batch/batch.ts';
import { importSecret, verify } from '../../worker/protocol/batch/signature.ts';
import { until } from '../support/until.ts';

export const SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;

export type ReceivedRecord = PositionedBatch['records'][number];

/** What becomes of a POST. `hang`: no answer until the test ends. */
export type Behaviour =
  | { kind: 'append'; afterMs?: number; reject?: (record: ReceivedRecord) => string | undefined }
  | { kind: 'answer'; status: number; body?: unknown; headers?: Record<string, string> }
  | { kind: 'drop' }
  | { kind: 'hang' };

export interface FakeWorker {
  readonly url: string;
  /** Decides for each batch; appends everything until a test says otherwise. */
  behave: (batch: PositionedBatch) => Behaviour;
  /** Every batch that was answered or not, in the order of arrival. */
  readonly batches: { batch: PositionedBatch; id: string; bytes: number }[];
  /** What rooms hold of a topic, or of one partition, in the order of arrival. */
  appended(topic: string, partition?: number): readonly ReceivedRecord[];
  /** What rooms hold of a topic, once it is `count` records or more. */
  arrival(topic: string, count: number, partition?: number): Promise<readonly ReceivedRecord[]>;
  /** The most POSTs that were open for one partition at a time. */
  readonly mostAtOnce: number;
  stop(): Promise<void>;
}

export async function startFakeWorker(port = 0): Promise<FakeWorker> {
  const keys = [{ signingKey: await importSecret(SECRET) }];
  const log = new Map<string, { offset: number; timestamp: number; records: ReceivedRecord[] }>();
  const open = new Map<string, number>();
  const hanging = new Set<ServerResponse>();
  let mostAtOnce = 0;

  const worker: FakeWorker = {
    get url() {
      return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    },
    behave: () => ({ kind: 'append' }),
    batches: [],
    appended: (topic, partition) =>
      partition === undefined
        ? [...log].flatMap(([key, { records }]) => (key.startsWith(`${topic}/`) ? records : []))
        : (log.get(`${topic}/${partition}`)?.records ?? []),
    arrival: (topic, count, partition) =>
      until(`${count} records of ${topic}`, () => {
        const records = worker.appended(topic, partition);
        return records.length >= count && records;
      }),
    get mostAtOnce() {
      return mostAtOnce;
    },
    async stop() {
      for (const response of hanging) response.destroy();
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };

  const server = createServer(async (request, response) => {
    const body = await readBody(request);
    const header = (name: string) => request.headers[name]?.toString();
    const { kind } = await verify(keys, header, body);
    if (kind !== 'verified') return send(response, 401, errorBody(`signature_${kind}`));
    const batch = JSON.parse(body.toString('utf8')) as PositionedBatch;
    worker.batches.push({ batch, id: header('webhook-id') ?? '', bytes: body.length });
    const lanes = new Set(batch.records.map(laneOf));
    for (const lane of lanes) {
      open.set(lane, (open.get(lane) ?? 0) + 1);
      mostAtOnce = Math.max(mostAtOnce, open.get(lane) ?? 0);
    }
    const close = () => {
      for (const lane of lanes) open.set(lane, (open.get(lane) ?? 0) - 1);
    };
    const behaviour = worker.behave(batch);
    switch (behaviour.kind) {
      case 'hang':
        hanging.add(response);
        response.once('close', close);
        return;
      case 'drop':
        close();
        return request.socket.destroy();
      case 'answer':
        close();
        return send(response, behaviour.status, behaviour.body, behaviour.headers);
      case 'append':
        setTimeout(() => {
          close();
          send(response, 200, append(batch, behaviour.reject));
        }, behaviour.afterMs ?? 0);
    }
  });

  function append(
    batch: PositionedBatch,
    reject: (record: ReceivedRecord) => string | undefined = () => undefined,
  ) {
    let accepted = 0;
    let duplicates = 0;
    const rejected: { index: number; code: string; message: string }[] = [];
    for (const [index, record] of batch.records.entries()) {
      const code = reject(record);
      const key = laneOf(record);
      const room = log.get(key) ?? { offset: -1, timestamp: -1, records: [] };
      log.set(key, room);
      const known = record.offset <= room.offset && record.timestamp <= room.timestamp;
      if (code !== undefined) rejected.push({ index, code, message: `not this one: ${code}` });
      else if (known) duplicates++;
      else {
        accepted++;
        room.offset = record.offset;
        room.timestamp = record.timestamp;
        room.records.push(record);
      }
    }
    return { accepted, duplicates, rejected };
  }

  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return worker;
}

export function errorBody(code: string): unknown {
  return { error: { code, message: 'scripted' } };
}

function laneOf(record: ReceivedRecord): string {
  return `${record.topic}/${record.partition}`;
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks);
}

function send(response: ServerResponse, status: number, body: unknown, headers = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(typeof body === 'string' ? body : JSON.stringify(body ?? {}));
}
