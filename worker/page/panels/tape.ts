/** The latest trades. */
import { MOST_TRADES, type Tape } from '../model/tape.ts';
import { fill, find, panel, reserveRows, setData, setText, value } from '../view/dom.ts';
import { decimal, time, whole } from '../view/format.ts';
import { type Panel, whenChanged } from '../view/frame-loop.ts';

export function tapePanel(tape: Tape): Panel {
  const rows = reserveRows(find('tbody', panel('tape')), MOST_TRADES, 3);
  const note = value('tape-note');
  return whenChanged(tape, () => {
    for (const [index, row] of rows.entries()) {
      const trade = tape.trades[index];
      fill(
        row,
        trade ? [decimal(trade.data.price), decimal(trade.data.amount), time(trade.timestamp)] : [],
      );
      setData(row.element, 'side', trade?.data.side ?? '');
    }
    setText(note, tape.leftOut > 0 ? `${whole(tape.leftOut)} older ones left out` : '');
  });
}
