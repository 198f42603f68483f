/** What a subscription was told, and whether it adds up to the log. */
import type { Gap, GatewayClient, Subscription } from '../../../worker/client/index.ts';
import type { Cursor } from '../../../worker/protocol/frames.ts';
import { type ModelLog, range } from './model-log.ts';

export type Told =
  | ({ readonly kind: 'event' | 'snapshot' } & Cursor)
  | ({ readonly kind: 'gap' } & Gap);

export interface Listening {
  readonly told: Told[];
  readonly since: Cursor | undefined;
  readonly subscription: Subscription<unknown>;
}

/** Subscribes, and writes down what is told. */
export function listen(client: GatewayClient, room: string, since?: Cursor): Listening {
  const told: Told[] = [];
  const subscription = client.subscribe<string, object>(room, {
    onEvent: (_, { epoch, seq }) => told.push({ kind: 'event', epoch, seq }),
    onSnapshot: (_, { epoch, seq }) => told.push({ kind: 'snapshot', epoch, seq }),
    onGap: ({ room: _, ...rest }) => told.push({ kind: 'gap', ...rest }),
    ...(since && { since }),
  });
  return { told, since, subscription };
}

/** Walks what was told, and complains of what does not add up; `hasEnded`: before the log's end. */
export function complaints(
  { told, since }: Pick<Listening, 'told' | 'since'>,
  log: ModelLog,
  hasEnded = false,
): string[] {
  const found: string[] = [];
  let at = since;
  for (const item of told) {
    const where = `${JSON.stringify(item)} at ${JSON.stringify(at)}`;
    switch (item.kind) {
      case 'snapshot':
        if (at !== undefined && (at.epoch !== item.epoch || at.seq !== item.seq)) found.push(where);
        at = { epoch: item.epoch, seq: item.seq };
        break;
      case 'gap':
        if (at?.seq !== item.from || item.epoch < at.epoch) found.push(where);
        if (item.epoch === at?.epoch && item.to <= at.seq) found.push(where);
        at = { epoch: item.epoch, seq: item.to };
        break;
      case 'event': {
        const { epoch, seq } = item;
        if (!at || !log.holds(at, epoch) || seq <= at.seq) found.push(where);
        const silent = range(at?.seq ?? 0, seq - 1).filter(
          (missing) => !log.conflated.has(`${epoch}:${missing}`),
        );
        if (silent.length > 0) found.push(`${where}: nothing told of ${silent}`);
        at = { epoch, seq };
      }
    }
  }
  if (!hasEnded && (at?.epoch !== log.epoch || at.seq !== log.head)) {
    found.push(`ends at ${JSON.stringify(at)}, not at ${log.epoch}:${log.head}`);
  }
  return found;
}
