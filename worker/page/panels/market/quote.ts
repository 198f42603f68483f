/** The chosen pair: its price, large, and what goes with it. */
import type { Book } from '../../model/book.ts';
import type { Quote } from '../../model/quote.ts';
import { setData, setText, value } from '../../view/dom.ts';
import { compact, decimal, percent, signOf } from '../../view/format.ts';
import { type Panel, whenChanged } from '../../view/frame-loop.ts';
import { spreadText } from './book.ts';

export function quotePanel(quote: Quote): Panel {
  const figure = value('price');
  const change = value('change');
  return whenChanged(quote, () => {
    const { symbol, data, direction, digits } = quote;
    const price = decimal(data?.price, digits);
    setText(value('symbol'), symbol);
    setText(figure, price);
    setData(figure, 'direction', String(direction));
    setText(change, percent(data?.changePercent));
    setData(change, 'direction', signOf(data?.changePercent));
    setText(value('high'), decimal(data?.high24h, digits));
    setText(value('low'), decimal(data?.low24h, digits));
    setText(value('volume'), compact(data?.volume));
    document.title = `${price} ${symbol} · WebSocket Gateway`;
  });
}

export function spreadPanel(book: Book): Panel {
  const spread = value('spread');
  return whenChanged(book, () => {
    const [amount] = spreadText(book);
    setText(spread, amount);
  });
}
