/** The price as candles, drawn by a library that is made for it. */
import {
  type CandlestickData,
  CandlestickSeries,
  ColorType,
  createChart,
  type UTCTimestamp,
} from 'lightweight-charts';
import type { Candle, Candles } from '../../model/candles.ts';
import type { Quote } from '../../model/quote.ts';
import { find, make } from '../../view/dom.ts';
import { decimal } from '../../view/format.ts';
import { type Panel, whenChanged } from '../../view/frame-loop.ts';

export interface Chart {
  readonly panel: Panel;
  /** Takes the colours of the present theme. */
  recolor(): void;
}

export function chartPanel(candles: Candles, quote: Quote): Chart {
  const area = find('.chart-area');
  const chart = createChart(area, {
    autoSize: true,
    layout: { attributionLogo: false, fontSize: 11, fontFamily: getComputedStyle(area).fontFamily },
    timeScale: { timeVisible: true, secondsVisible: true, rightOffset: 2, barSpacing: 7 },
    // Wide enough for the longest price, so that it does not change.
    rightPriceScale: { minimumWidth: 92 },
    localization: {
      locale: 'en-GB',
      priceFormatter: (price: number) => decimal(price.toFixed(quote.digits)),
    },
    handleScroll: false,
    handleScale: false,
  });
  const series = chart.addSeries(CandlestickSeries, { wickVisible: true, borderVisible: false });
  const recolor = () => {
    const color = colorsOf(area);
    const grid = { color: color('line') };
    const background = { type: ColorType.Solid, color: color('panel') } as const;
    chart.applyOptions({
      layout: { background, textColor: color('dim') },
      grid: { vertLines: grid, horzLines: grid },
      rightPriceScale: { borderColor: color('line') },
      timeScale: { borderColor: color('line') },
    });
    const [up, down] = [color('up'), color('down')];
    series.applyOptions({ upColor: up, wickUpColor: up, downColor: down, wickDownColor: down });
  };
  recolor();
  let digits = -1;
  let rebuilds = -1;
  const panel = whenChanged(candles, () => {
    const { newest } = candles;
    if (rebuilds !== candles.rebuilds) series.setData(candles.all.map(shown));
    else if (newest !== undefined) series.update(shown(newest));
    rebuilds = candles.rebuilds;
    if (quote.digits === digits) return;
    digits = quote.digits;
    series.applyOptions({
      priceFormat: { type: 'price', precision: digits, minMove: 10 ** -digits },
    });
  });
  return { panel, recolor };
}

/** The library knows no time zones, so it is given the reader's time as if it were UTC. */
function shown({ time, open, high, low, close }: Candle): CandlestickData<UTCTimestamp> {
  const local = time - new Date(time * 1_000).getTimezoneOffset() * 60;
  return { time: local as UTCTimestamp, open, high, low, close };
}

/** Reads colours of the style sheet as the browser resolves them for the present theme. */
function colorsOf(parent: HTMLElement): (name: string) => string {
  return (name) => {
    const probe = make('span');
    probe.style.color = `var(--${name})`;
    parent.append(probe);
    const { color } = getComputedStyle(probe);
    probe.remove();
    return color;
  };
}
