/** Small actors on a Worker that listens on a port: a bridge that POSTs, a client that listens. */
import { onTestFinished } from 'vitest';
import { importSecret, sign } from '../../worker/protocol/batch/signature.ts';
import { DEVELOPMENT_INGEST_SECRET } from '../../worker/protocol/environment/development.ts';

/** A record as the bridge posts it; `value` is JSON text. */
export interface PostedRecord {
  readonly topic: string;
  readonly offset: number;
  readonly value: string;
}

/** POSTs `records` of partition 0 as a bridge does, with more headers, and gives the Worker's answer. */
export async function post(
  url: string,
  records: readonly PostedRecord[],
  more: Readonly<Record<string, string>> = {},
): Promise<Response> {
  const items = records.map(({ topic, offset, value }) => {
    const position = { topic, partition: 0, offset, timestamp: 1_700_000_000_000 + offset };
    return `${JSON.stringify(position).slice(0, -1)},"value":${value}}`;
  });
  const body = new TextEncoder().encode(`{"source":"test","records":[${items.join()}]}`);
  const key = await importSecret(DEVELOPMENT_INGEST_SECRET);
  const headers = await sign([key], crypto.randomUUID(), body);
  return fetch(`${url}/v1/events`, { method: 'POST', headers: { ...headers, ...more }, body });
}

/** The frames that a bare WebSocket on `room` gets, into the array given back. */
export function listen(url: string, room: string): string[] {
  const frames: string[] = [];
  const socket = new WebSocket(`${url.replace('http', 'ws')}/v1/rooms/${room}?system=off`);
  socket.onmessage = ({ data }) => frames.push(String(data));
  onTestFinished(() => socket.close());
  return frames;
}
