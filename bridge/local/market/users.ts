/** The users with an account, and what is in it when the feed begins. */
import { DEMO_USER } from '../demo-token.ts';
import { Account, type Position } from './exchange/account.ts';
import type { Exchange } from './exchange/exchange.ts';
import { notional } from './exchange/pairs.ts';
import type { Random } from './random.ts';

interface Opening {
  readonly userId: string;
  /** The cash, in USDC. */
  readonly cash: number;
  /** Lots by symbol. */
  readonly holdings: Readonly<Record<string, number>>;
}

const OPENINGS: readonly Opening[] = [
  {
    userId: DEMO_USER,
    cash: 12_500,
    holdings: { 'BTC-USDC': 3_500, 'ETH-USDC': 32_000, 'SOL-USDC': 40_000 },
  },
  {
    userId: 'user-456',
    cash: 40_000,
    holdings: { 'BTC-USDC': 12_000, 'BNB-USDC': 25_000, 'LINK-USDC': 90_000 },
  },
  {
    userId: 'user-789',
    cash: 3_000,
    holdings: { 'PEPE-USDC': 180_000, 'DOGE-USDC': 14_000, 'XRP-USDC': 30_000 },
  },
  {
    userId: 'did:privy:whale-1',
    cash: 150_000,
    holdings: {
      'ETH-USDC': 600_000,
      'AVAX-USDC': 110_000,
      'ADA-USDC': 400_000,
      'UNI-USDC': 150_000,
      'ARB-USDC': 250_000,
    },
  },
];

export const USER_COUNT = OPENINGS.length;
/** What users paid for what they own, in parts of today's price. */
const PAID = { least: 0.9, most: 1.08 } as const;

export function openAccounts(exchange: Exchange, random: Random): void {
  const own = random.fork('users');
  for (const { userId, cash, holdings } of OPENINGS) {
    const positions = Object.entries(holdings).map(([symbol, lots]): Position => {
      const { pair, lastTicks } = exchange.venue(symbol);
      const paid = Math.round(lastTicks * own.between(PAID.least, PAID.most));
      return { pair, lots, cost: notional(pair, paid, lots) };
    });
    exchange.open(new Account(userId, cash * 1_000_000, positions));
  }
}
