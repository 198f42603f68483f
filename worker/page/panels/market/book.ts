/** The order book: the best levels of both sides, each with a bar of the sizes up to it. */
import type { Book, Level } from '../../model/book.ts';
import { digitsOf, mostDigits } from '../../model/digits.ts';
import {
  fill,
  find,
  panel,
  type Row,
  reserveRows,
  setProperty,
  setText,
  value,
} from '../../view/dom.ts';
import { compact, decimal } from '../../view/format.ts';
import { type Panel, whenChanged } from '../../view/frame-loop.ts';

/** The levels of a side that there is room for. */
const SHOWN = 10;
const COLUMNS = 3;

export function bookPanel(book: Book): Panel {
  const root = panel('book');
  // The best offer to sell is at the bottom, next to the spread.
  const asks = reserveRows(find('[data-side="asks"] tbody', root), SHOWN, COLUMNS).reverse();
  const bids = reserveRows(find('[data-side="bids"] tbody', root), SHOWN, COLUMNS);
  return whenChanged(book, () => {
    const levels = [...book.asks, ...book.bids];
    const digits = {
      price: mostDigits(levels.map(({ price }) => price)),
      size: mostDigits(levels.map(({ size }) => size)),
    };
    const deepest = Math.max(...[book.asks, book.bids].map(totalShown));
    showSide(asks, book.asks, deepest, digits);
    showSide(bids, book.bids, deepest, digits);
    const [amount, share] = spreadText(book);
    setText(value('book-spread'), amount);
    setText(value('book-spread-share'), share);
    const depth = Math.max(book.asks.length, book.bids.length);
    setText(value('book-note'), depth > SHOWN ? `best ${SHOWN} of ${depth}` : `all ${depth}`);
  });
}

/** The spread as an amount and as a share of the price. */
export function spreadText({ spread, asks, bids }: Book): [amount: string, share: string] {
  if (spread === undefined) return ['–', ''];
  const digits = Math.max(digitsOf(asks[0]?.price), digitsOf(bids[0]?.price));
  return [decimal(spread.amount.toFixed(digits)), `(${(spread.share * 100).toFixed(3)}%)`];
}

interface Digits {
  readonly price: number;
  readonly size: number;
}

function showSide(
  rows: readonly Row[],
  levels: readonly Level[],
  deepest: number,
  { price, size }: Digits,
): void {
  for (const [index, row] of rows.entries()) {
    const level = levels[index];
    const texts = level && [
      decimal(level.price, price),
      decimal(level.size, size),
      compact(level.total),
    ];
    fill(row, texts ?? []);
    setProperty(row.element, '--depth', `${((level?.total ?? 0) / deepest) * 100 || 0}%`);
  }
}

function totalShown(levels: readonly Level[]): number {
  return levels.slice(0, SHOWN).at(-1)?.total ?? 0;
}
