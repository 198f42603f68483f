/**
 * Flow control and recovery together: 200 clients that acknowledge what they get, in a durable room
 * under load whose workerd is killed.
 */
import { expect, onTestFinished, test } from 'vitest';
import { GatewayClient } from '../../worker/client/index.ts';
import { produce } from '../support/kafka.ts';
import { until } from '../support/until.ts';
import { startGateway } from './gateway.ts';

const CLIENTS = 200;
const SYMBOL = 'ACKED';
const KILLS = 3;
const TRADES = 2_400;
/** How many trades go in one request to Kafka. */
const BURST = 20;
/** How far the feed runs ahead of the slowest client: a room keeps the last 1,000. */
const MAX_AHEAD = 600;
/** It is long enough for a client's window, 256 Ki characters, to be used up several times. */
const MEMO = 'x'.repeat(400);
const TIMEOUT_MS = 180_000;

class Reader {
  readonly trades: number[] = [];
  readonly gaps: unknown[] = [];
  readonly errors: string[] = [];
  joined = false;
  acks = 0;

  constructor(url: string) {
    const reader = this;
    class CountingSocket extends WebSocket {
      override send(data: string): void {
        if (data.includes('"ack"')) reader.acks++;
        super.send(data);
      }
    }
    const client = new GatewayClient({ url, WebSocket: CountingSocket });
    onTestFinished(() => client.close());
    client.on('error', ({ code, message }) => {
      // When workerd is back before a client asks why its upgrade has failed, it seems to be lost on its way.
      if (code !== 'upgrade_lost') this.errors.push(`${code}: ${message}`);
    });
    client.subscribe(`trade:${SYMBOL}`, {
      onSnapshot: (events) => {
        if (events.length > 0) this.errors.push('a snapshot of what it did not miss');
        this.joined = true;
      },
      onEvent: ({ data }) => this.trades.push(Number(data.tradeId)),
      onGap: (gap) => this.gaps.push(gap),
    });
  }
}

test('each ends with every trade, in order and once, after three kill -9 of workerd under load', {
  timeout: TIMEOUT_MS,
}, async () => {
  const gateway = await startGateway();
  onTestFinished(() => gateway.stop());
  const readers = Array.from({ length: CLIENTS }, () => new Reader(gateway.url));
  await until('all have joined', () => readers.every(({ joined }) => joined));

  let produced = 0;
  for (let killed = 0; produced < TRADES; ) {
    const messages = Array.from({ length: BURST }, (_, index) => trade(produced + index));
    await produce('trade.notifications', messages, gateway.brokers);
    produced += BURST;
    // While some have more and some less of what was just produced.
    if (killed < KILLS && produced >= ((killed + 1) * TRADES) / (KILLS + 1)) {
      await until('it flows', () => readers.some(({ trades }) => trades.length > produced - BURST));
      process.kill(gateway.pidOf('workerd'), 'SIGKILL');
      killed++;
    }
    await until('the slowest follows', () =>
      readers.every(({ trades }) => trades.length > produced - MAX_AHEAD),
    );
  }

  await until('all have all', () => readers.every(({ trades }) => trades.length >= produced));
  const expected = Array.from({ length: produced }, (_, index) => index);
  for (const { trades, gaps, errors, acks } of readers) {
    expect(trades).toEqual(expected);
    expect(gaps).toEqual([]);
    expect(errors).toEqual([]);
    expect(acks).toBeGreaterThan(KILLS + 1);
  }
});

function trade(id: number): { key: string; value: string } {
  const data = { tradeId: String(id), price: 1, amount: 1, side: 'buy', memo: MEMO };
  const event = { type: 'trade_notification', symbol: SYMBOL, data, timestamp: 1 };
  return { key: SYMBOL, value: JSON.stringify(event) };
}
