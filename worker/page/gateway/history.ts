/** The trades that a room still has from before the page was opened. */
import type { TradeNotification } from '../../client/index.ts';

/** What one request may ask for. */
const PAGE = 1_000;

export interface PastTrade {
  readonly seq: number;
  readonly event: TradeNotification;
}

/** @returns the trades before `seq`, the latest thousand at most; none when the room cannot be asked. */
export async function tradesBefore(
  room: string,
  epoch: number,
  seq: number,
  signal: AbortSignal,
): Promise<readonly PastTrade[]> {
  const after = `${epoch}:${Math.max(0, seq - 1 - PAGE)}`;
  const address = `/v1/rooms/${encodeURIComponent(room)}/events?after=${after}&limit=${PAGE}`;
  try {
    const answer = await fetch(address, { signal });
    if (!answer.ok) return [];
    const { events }: { events: PastTrade[] } = await answer.json();
    return events.filter((past) => past.seq < seq);
  } catch {
    return [];
  }
}
