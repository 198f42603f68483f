/** What the user owns, and what it is worth. */

import type { PortfolioUpdate } from '../../client/index.ts';
import type { Account } from '../model/account.ts';
import { fill, find, panel, reserveRows, setData, setText, value } from '../view/dom.ts';
import { decimal, money, percent, signed, signOf } from '../view/format.ts';
import { type Panel, whenChanged } from '../view/frame-loop.ts';

/** As many rows as the page has room for. */
const MOST_POSITIONS = 5;
type Positions = NonNullable<PortfolioUpdate['data']['positions']>;

/** @param user undefined where nobody is signed in. */
export function portfolioPanel(account: Account, user: string | undefined): Panel {
  const rows = reserveRows(find('tbody', panel('portfolio')), MOST_POSITIONS, 4);
  const change = value('worth-change');
  setText(value('portfolio-note'), user ?? 'nobody is signed in');
  return whenChanged(account, () => {
    const { portfolio } = account;
    if (portfolio === undefined) return;
    setText(value('worth'), money(portfolio.totalValue));
    const gained = portfolio.totalValueChange;
    const amount = gained === null || gained === undefined ? '' : signed(Number(gained), 2);
    setText(change, `${amount} (${percent(portfolio.totalValueChangePercent)})`);
    setData(change, 'direction', signOf(gained));
    const positions: Positions = portfolio.positions ?? [];
    for (const [index, row] of rows.entries()) {
      const position = positions[index];
      const { symbol = '', amount, value, pnlPercent } = position ?? {};
      fill(row, position ? [symbol, decimal(amount), money(value), percent(pnlPercent)] : []);
      const [, , , gain] = row.cells;
      if (gain !== undefined) setData(gain, 'direction', signOf(pnlPercent));
    }
    const more = positions.length - MOST_POSITIONS;
    setText(value('portfolio-note'), more > 0 ? `${user} · and ${more} more positions` : `${user}`);
  });
}
