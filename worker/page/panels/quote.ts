/** The chosen pair: its price, large, and what goes with it. */
import type { Book } from '../model/book.ts';
import type { Quote } from '../model/quote.ts';
import { setData, setText, value } from '../view/dom.ts';
import { compact, decimal, percent, signOf } from '../view/format.ts';
import { type Panel, whenChanged } from '../view/frame-loop.ts';
import { spreadText } from './book.ts';

export function quotePanel(quote: Quote): Panel {
  const price = value('price');
  const change = value('change');
  return whenChanged(quote, () => {
    const { symbol, data, direction } = quote;
    setText(value('symbol'), symbol);
    setText(price, decimal(data?.price));
    setData(price, 'direction', String(direction));
    setText(change, `${decimal(data?.change)} (${percent(data?.changePercent)})`);
    setData(change, 'direction', signOf(data?.changePercent));
    setText(value('high'), decimal(data?.high24h));
    setText(value('low'), decimal(data?.low24h));
    setText(value('volume'), compact(data?.volume));
    document.title = `${decimal(data?.price)} ${symbol} · WebSocket Gateway`;
  });
}

export function spreadPanel(book: Book): Panel {
  const spread = value('spread');
  return whenChanged(book, () => {
    const [amount, share] = spreadText(book);
    setText(spread, `${amount} ${share}`);
  });
}
