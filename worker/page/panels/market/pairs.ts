/** The list of pairs. A click chooses one; a price that moves flashes. */
import { MOST_PAIRS, type PairRow, type Pairs } from '../../model/pairs.ts';
import type { Quote } from '../../model/quote.ts';
import { find, make, panel, setData, setText, value } from '../../view/dom.ts';
import { Flash } from '../../view/flash.ts';
import { decimal, percent, signOf } from '../../view/format.ts';
import { type Panel, whenChanged } from '../../view/frame-loop.ts';

class Line {
  readonly #choose = make('button', { type: 'button', className: 'pick', disabled: true }, '–');
  readonly #price = make('td', {}, '–');
  readonly #change = make('td', {}, '–');
  readonly #flash = new Flash(this.#price);
  readonly element = make(
    'tr',
    {},
    make('th', { scope: 'row' }, this.#choose),
    this.#price,
    this.#change,
  );
  #symbol = '';
  #moves = 0;

  constructor(choose: (symbol: string) => void) {
    this.#choose.addEventListener('click', () => choose(this.#symbol));
  }

  show({ symbol, data, direction, moves, digits }: PairRow, now: number): void {
    setText(this.#choose, symbol);
    setText(this.#price, decimal(data.price, digits));
    setText(this.#change, percent(data.changePercent));
    setData(this.#change, 'direction', signOf(data.changePercent));
    this.#choose.disabled = false;
    if (symbol === this.#symbol && moves > this.#moves) this.#flash.start(direction, now);
    this.#symbol = symbol;
    this.#moves = moves;
  }

  look(now: number): void {
    this.#flash.look(now);
  }

  mark(chosen: string): void {
    const isChosen = this.#symbol === chosen;
    this.#choose.setAttribute('aria-pressed', String(isChosen));
    this.element.classList.toggle('chosen', isChosen);
  }
}

export function pairsPanel(pairs: Pairs, quote: Quote, choose: (symbol: string) => void): Panel {
  const lines = Array.from({ length: MOST_PAIRS }, () => new Line(choose));
  find('tbody', panel('pairs')).replaceChildren(...lines.map(({ element }) => element));
  const note = value('pairs-note');
  const draw = whenChanged([pairs, quote], (now) => {
    for (const [index, row] of pairs.rows.entries()) {
      lines[index]?.show(row, now);
      lines[index]?.mark(quote.symbol);
    }
    setText(note, pairs.leftOut > 0 ? `and ${pairs.leftOut} more` : '');
  });
  return (now) => {
    for (const line of lines) line.look(now);
    return draw(now);
  };
}
