/** The real Worker in workerd for a file of tests, and a publisher of prices. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import { freePort } from '../../../bridge/local/processes/port.ts';
import { type RunningWorker, startWorker } from '../../../bridge/local/worker/worker.ts';
import { post } from '../../support/worker.ts';

export class Gateway {
  #worker: RunningWorker | undefined;
  #stateDir = '';
  #offset = 0;

  constructor() {
    beforeAll(async () => {
      this.#stateDir = await mkdtemp(join(tmpdir(), 'gateway-browser-'));
      this.#worker = await startWorker({ port: await freePort(), stateDir: this.#stateDir });
    });
    afterAll(async () => {
      await this.#worker?.stop();
      await rm(this.#stateDir, { recursive: true, force: true, maxRetries: 5 });
    });
  }

  get url(): string {
    return this.#worker?.url ?? '';
  }

  /** Publishes prices of a symbol in one batch, all of high priority, so that each is sent at once. */
  async prices(symbol: string, prices: readonly number[]): Promise<void> {
    await this.#publish('price.updates', prices, (price) => ({
      type: 'price_update',
      symbol,
      data: { price },
    }));
  }

  /** Publishes trades of a symbol, of which a room keeps each. */
  async trades(symbol: string, prices: readonly number[]): Promise<void> {
    await this.#publish('trade.notifications', prices, (price) => ({
      type: 'trade_notification',
      symbol,
      data: { tradeId: `t-${price}`, price, amount: 1, side: 'buy' },
    }));
  }

  async #publish(
    topic: string,
    prices: readonly number[],
    eventOf: (price: number) => Record<string, unknown>,
  ): Promise<void> {
    const records = prices.map((price) => ({
      topic,
      offset: ++this.#offset,
      value: JSON.stringify({
        ...eventOf(price),
        timestamp: 1_700_000_000_000,
        metadata: { priority: 'high' },
      }),
    }));
    const answer = await post(this.url, records);
    const { accepted } = (await answer.json()) as { readonly accepted?: number };
    if (accepted !== prices.length) throw new Error(`${answer.status}: ${accepted} accepted`);
  }
}
