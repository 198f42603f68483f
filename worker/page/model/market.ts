/** What the page shows of the market. Events change it; panels read it when they draw. */
import { Account } from './account.ts';
import { Alerts } from './alerts.ts';
import { Book } from './book.ts';
import { Candles } from './candles.ts';
import { Overtaken } from './overtaken.ts';
import { Pairs } from './pairs.ts';
import { Quote } from './quote.ts';
import { Tape } from './tape.ts';

export class Market {
  readonly pairs = new Pairs();
  readonly account = new Account();
  readonly alerts = new Alerts();
  readonly quote: Quote;
  readonly book = new Book();
  readonly tape = new Tape();
  readonly candles = new Candles();
  readonly overtaken = new Overtaken();

  constructor(symbol: string) {
    this.quote = new Quote(symbol);
  }

  /** Everything of the pair that was chosen before is forgotten. */
  choose(symbol: string): void {
    this.quote.choose(symbol);
    this.book.clear();
    this.tape.clear();
    this.candles.clear();
  }
}
