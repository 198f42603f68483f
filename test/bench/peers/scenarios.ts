/** Who joins what. A rate is of events a second over all symbols, deliveries are over all sockets. */

export interface Scenario {
  readonly id: string;
  readonly title: string;
  readonly symbols: number;
  /** For each socket, the symbols whose rooms it joins. */
  readonly subscriptions: readonly (readonly number[])[];
}

export const SCENARIOS: readonly Scenario[] = [
  oneRoom('A1000', 1_000),
  oneRoom('A100', 100),
  {
    id: 'B',
    title: '20 rooms with 50 sockets each',
    symbols: 20,
    subscriptions: Array.from({ length: 1_000 }, (_, socket) => [socket % 20]),
  },
  {
    id: 'C',
    title: '1,000 sockets, each in 20 of 100 rooms',
    symbols: 100,
    subscriptions: Array.from({ length: 1_000 }, (_, socket) =>
      Array.from({ length: 20 }, (_, room) => (socket + 5 * room) % 100),
    ),
  },
];

export const MOST_SYMBOLS = Math.max(...SCENARIOS.map(({ symbols }) => symbols));

/** How many events a second make so many deliveries a second. */
export function rateOf({ symbols, subscriptions }: Scenario, deliveries: number): number {
  return (deliveries * symbols) / subscriptions.flat().length;
}

function oneRoom(id: string, sockets: number): Scenario {
  const subscriptions = Array.from({ length: sockets }, () => [0]);
  return { id, title: `${sockets} sockets in one room`, symbols: 1, subscriptions };
}
