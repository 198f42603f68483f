/** The latest trades. */
import { mostDigits } from '../../model/digits.ts';
import { MOST_TRADES, type Tape } from '../../model/tape.ts';
import { fill, find, panel, reserveRows, setData, setText, value } from '../../view/dom.ts';
import { decimal, time, whole } from '../../view/format.ts';
import { type Panel, whenChanged } from '../../view/frame-loop.ts';

export function tapePanel(tape: Tape): Panel {
  const rows = reserveRows(find('tbody', panel('tape')), MOST_TRADES, 3);
  const note = value('tape-note');
  return whenChanged(tape, () => {
    const { trades, count } = tape;
    const price = mostDigits(trades.map(({ data }) => data.price));
    const amount = mostDigits(trades.map(({ data }) => data.amount));
    for (const [index, row] of rows.entries()) {
      const trade = trades[index];
      const { data, timestamp = 0 } = trade ?? {};
      fill(
        row,
        data ? [decimal(data.price, price), decimal(data.amount, amount), time(timestamp)] : [],
      );
      setData(row.element, 'side', data?.side ?? '');
    }
    setText(note, count > 0 ? `the latest of ${whole(count)}` : '');
  });
}
