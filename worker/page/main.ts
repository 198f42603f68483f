/** The live page: events change models, and panels draw what has changed. It only wires. */
import { Delivery } from './delivery/delivery.ts';
import { Rate } from './delivery/rate.ts';
import { loadDemo } from './gateway/demo.ts';
import { Gateway } from './gateway/gateway.ts';
import { Network } from './gateway/network.ts';
import { Market } from './model/market.ts';
import { alertsPanel } from './panels/account/alerts.ts';
import { notificationsPanel } from './panels/account/notifications.ts';
import { portfolioPanel } from './panels/account/portfolio.ts';
import { connectionPanel } from './panels/delivery/connection.ts';
import { latencyPanel } from './panels/delivery/latency.ts';
import { ratesPanel } from './panels/delivery/rates.ts';
import { roomsPanel } from './panels/delivery/rooms.ts';
import { setUpAlertSwitch, setUpSwitches } from './panels/delivery/switches.ts';
import { bookPanel } from './panels/market/book.ts';
import { chartPanel } from './panels/market/chart.ts';
import { pairsPanel } from './panels/market/pairs.ts';
import { quotePanel, spreadPanel } from './panels/market/quote.ts';
import { tapePanel } from './panels/market/tape.ts';
import { startFrameLoop } from './view/frame-loop.ts';
import { setUpTerms } from './view/terms.ts';
import { setUpTheme } from './view/theme.ts';

const FIRST_PAIR = 'BTC-USDC';
const chosenPair = () => decodeURIComponent(location.hash.slice(1)) || FIRST_PAIR;

const market = new Market(chosenPair());
const delivery = new Delivery();
const drawn = new Rate();
const network = new Network(() => delivery.rooms.disconnected());
const { account, alerts, book, candles, pairs, quote, tape } = market;

// All places are taken before anything is painted. The chart comes last, since it fills what is left.
const panels = [
  connectionPanel(delivery, network),
  alertsPanel(alerts),
  quotePanel(quote),
  spreadPanel(book),
  bookPanel(book),
  tapePanel(tape),
  pairsPanel(pairs, quote, (symbol) => {
    location.hash = symbol;
  }),
  portfolioPanel(account),
  notificationsPanel(account),
  ratesPanel(delivery, drawn, market.overtaken),
  roomsPanel(delivery.rooms),
  latencyPanel(delivery.latency),
];
const chart = chartPanel(candles, quote);
setUpTheme(() => chart.recolor());
setUpTerms();
const ask = startFrameLoop({
  panels,
  ahead: [chart.panel],
  painted: (now) => {
    drawn.add(1, now);
    delivery.latency.painted(Date.now(), now);
  },
});

const demo = await loadDemo();
account.open(demo.user);
if (demo.alerts === true) setUpAlertSwitch(alerts);
const gateway = new Gateway({
  origin: location.origin,
  network,
  demo,
  renewDemo: loadDemo,
  market,
  delivery,
  changed: ask,
});
setUpSwitches({ network, gateway });
gateway.choose(chosenPair());
addEventListener('hashchange', () => gateway.choose(chosenPair()));
for (const type of ['click', 'hashchange']) addEventListener(type, ask);
// An open socket would keep the page out of the browser's back/forward cache.
addEventListener('pagehide', () => network.drop());
// What comes while nobody looks is not painted, and says nothing of the latency.
document.addEventListener('visibilitychange', () => delivery.latency.hidden());
