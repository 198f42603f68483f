/**
 * The price as candles, drawn by a library that is made for it. The label of the price is the quote's:
 * the same number, in the same colour.
 */
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
  /** Only hands on what has changed: the library draws in a frame of its own. */
  readonly panel: Panel;
  /** Takes the colours of the present theme. */
  recolor(): void;
}

/** Wide enough for most prices, so that it changes only with the pair. */
const AXIS_PX = 76;
/** Beside the newest candle, where the label covers neither a candle nor the axis. */
const LABEL_PX = 90;

export function chartPanel(candles: Candles, quote: Quote): Chart {
  const area = find('.chart-area');
  const chart = createChart(area, {
    autoSize: true,
    layout: { attributionLogo: false, fontSize: 11, fontFamily: getComputedStyle(area).fontFamily },
    timeScale: {
      timeVisible: true,
      secondsVisible: true,
      allowBoldLabels: false,
      barSpacing: 7,
      rightOffsetPixels: LABEL_PX,
    },
    rightPriceScale: { minimumWidth: AXIS_PX, entireTextOnly: true },
    localization: {
      locale: 'en-GB',
      priceFormatter: (price: number) => decimal(price.toFixed(quote.digits)),
    },
    handleScroll: false,
    handleScale: false,
  });
  const series = chart.addSeries(CandlestickSeries, {
    wickVisible: true,
    borderVisible: false,
    lastValueVisible: false,
  });
  let colors = colorsOf(area);
  const showLabel = () => {
    const { data, direction, digits } = quote;
    series.applyOptions({
      title: data === undefined ? '' : decimal(data.price, digits),
      priceLineColor: direction > 0 ? colors.up : direction < 0 ? colors.down : colors.text,
    });
  };
  const recolor = () => {
    colors = colorsOf(area);
    const { panel, dim, line, up, down } = colors;
    chart.applyOptions({
      layout: { background: { type: ColorType.Solid, color: panel }, textColor: dim },
      grid: { vertLines: { color: line }, horzLines: { color: line } },
      rightPriceScale: { borderColor: line },
      timeScale: { borderColor: line },
    });
    series.applyOptions({ upColor: up, wickUpColor: up, downColor: down, wickDownColor: down });
    showLabel();
  };
  recolor();
  let rebuilds = -1;
  const showCandles = () => {
    const { newest } = candles;
    if (rebuilds !== candles.rebuilds) series.setData(candles.all.map(shown));
    else if (newest !== undefined) series.update(shown(newest));
    rebuilds = candles.rebuilds;
  };
  let digits = -1;
  const showQuote = () => {
    showLabel();
    if (quote.digits === digits) return;
    digits = quote.digits;
    const priceFormat = { type: 'price', precision: digits, minMove: 10 ** -digits } as const;
    series.applyOptions({ priceFormat });
  };
  return { panel: both(whenChanged(candles, showCandles), whenChanged(quote, showQuote)), recolor };
}

function both(one: Panel, other: Panel): Panel {
  return (now) => [one(now), other(now)].includes(true);
}

/** The library knows no time zones, so it is given the reader's time as if it were UTC. */
function shown({ time, open, high, low, close }: Candle): CandlestickData<UTCTimestamp> {
  const local = time - new Date(time * 1_000).getTimezoneOffset() * 60;
  return { time: local as UTCTimestamp, open, high, low, close };
}

/** Those of the style sheet, as the browser resolves them for the present theme. */
function colorsOf(parent: HTMLElement) {
  const probe = make('span');
  parent.append(probe);
  const color = (name: string) => {
    probe.style.color = `var(--${name})`;
    return getComputedStyle(probe).color;
  };
  const colors = {
    panel: color('panel'),
    line: color('line'),
    text: color('text'),
    dim: color('dim'),
    up: color('up'),
    down: color('down'),
  };
  probe.remove();
  return colors;
}
