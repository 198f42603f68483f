/** What the user owns, and what it is worth. */
import type { PortfolioUpdate } from '../../../client/index.ts';
import type { Account } from '../../model/account.ts';
import { fill, find, panel, reserveRows, setData, setText, value } from '../../view/dom.ts';
import { brief, money, percent, signed, signOf } from '../../view/format.ts';
import { type Panel, whenChanged } from '../../view/frame-loop.ts';
import { showAbsence } from './absence.ts';

/** As many as the page has room for, beside the cash. */
const MOST_POSITIONS = 6;
const COLUMNS = 4;

type Portfolio = PortfolioUpdate['data'];
type Position = NonNullable<Portfolio['positions']>[number];

export function portfolioPanel(account: Account): Panel {
  const root = panel('portfolio');
  const rows = reserveRows(find('tbody', root), MOST_POSITIONS + 1, COLUMNS);
  return whenChanged(account, () => {
    const { portfolio, user } = account;
    showAbsence(root, account);
    const positions = portfolio?.positions ?? [];
    setText(value('portfolio-note'), noteOf(user, positions.length));
    if (portfolio === undefined) return;
    showWorth(portfolio);
    const shown: Position[] = [...positions.slice(0, MOST_POSITIONS), ...cashOf(portfolio)];
    for (const [index, row] of rows.entries()) {
      const position = shown[index];
      fill(row, position ? textsOf(position) : []);
      const gain = row.cells.at(-1);
      if (gain !== undefined) setData(gain, 'direction', signOf(position?.pnlPercent));
    }
  });
}

/** The values of the sample market are in USDC. */
function noteOf(user: string | undefined, positions: number): string {
  if (user === undefined) return '';
  const assets = positions > MOST_POSITIONS ? `, ${MOST_POSITIONS} of ${positions} assets` : '';
  return `${user} in USDC${assets}`;
}

function showWorth(portfolio: Portfolio): void {
  const { totalValue, totalValueChange: gained, totalValueChangePercent: share } = portfolio;
  const change = value('worth-change');
  setText(value('worth'), money(totalValue));
  setText(change, `${signed(Number(gained ?? 0), 2)} (${percent(share)})`);
  setData(change, 'direction', signOf(gained));
}

function textsOf({ symbol, amount, value, pnlPercent }: Position): string[] {
  const [asset = symbol] = symbol.split('-');
  return [asset, brief(amount), money(value), pnlPercent === undefined ? '' : percent(pnlPercent)];
}

/** The sample market's portfolios say how much is left in cash. */
function cashOf({ cash }: Portfolio): Position[] {
  const isKnown = typeof cash === 'string' || typeof cash === 'number';
  return isKnown ? [{ symbol: 'Cash', amount: '', value: cash }] : [];
}
