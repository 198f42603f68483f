/** How long events take to each place on their way: two quantiles and a histogram. */
import { BAR_ENDS, type Summary } from '../../delivery/histogram.ts';
import { HOPS, type Hop, type Latency } from '../../delivery/latency.ts';
import { find, make, panel, setProperty, setText } from '../../view/dom.ts';
import { duration } from '../../view/format.ts';
import { every, type Panel } from '../../view/frame-loop.ts';

const LOOK_MS = 500;
const NAMES: Readonly<Record<Hop, string>> = {
  kafka: 'Kafka',
  bridge: 'Bridge',
  worker: 'Worker',
  room: 'Room',
  client: 'Client',
  paint: 'Paint',
  total: 'In all',
};

class Line {
  readonly #median = make('td', {}, '–');
  readonly #tail = make('td', {}, '–');
  readonly #bars = Array.from({ length: BAR_ENDS.length + 1 }, () => make('i'));
  readonly element: HTMLTableRowElement;

  constructor(hop: Hop) {
    const term = make('button', { type: 'button', className: 'term' }, NAMES[hop]);
    term.dataset.term = `hop-${hop}`;
    const bars = make('span', { className: 'bars', ariaHidden: 'true' }, ...this.#bars);
    const header = make('th', { scope: 'row' }, term);
    this.element = make('tr', {}, header, this.#median, this.#tail, make('td', {}, bars));
    this.element.dataset.hop = hop;
  }

  show(summary: Summary): void {
    setText(this.#median, duration(summary.quantile(0.5)));
    setText(this.#tail, duration(summary.quantile(0.99)));
    for (const [index, height] of summary.bars().entries()) {
      const bar = this.#bars[index];
      if (bar !== undefined) setProperty(bar, '--height', height.toFixed(2));
    }
  }
}

export function latencyPanel(latency: Latency): Panel {
  const lines = HOPS.map((hop) => [hop, new Line(hop)] as const);
  find('.latency tbody', panel('delivery')).replaceChildren(
    ...lines.map(([, { element }]) => element),
  );
  return every(LOOK_MS, (now) => {
    for (const [hop, line] of lines) line.show(latency.hops[hop].summary(now));
  });
}
