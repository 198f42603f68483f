/** What comes to the user: the portfolio, and notifications. */
import type {
  CustomNotification,
  PortfolioUpdate,
  SystemAlert,
  TradeNotification,
} from '../../client/index.ts';

/** As many as the page has room for. */
export const MOST_NOTIFICATIONS = 12;

export type PersonalEvent = PortfolioUpdate | TradeNotification | SystemAlert | CustomNotification;
export type PersonalNotification = Exclude<PersonalEvent, PortfolioUpdate> & {
  readonly seq: number;
};

export class Account {
  #portfolio: PortfolioUpdate['data'] | undefined;
  #notifications: PersonalNotification[] = [];
  #user: string | undefined;
  #isKnown = false;
  #count = 0;
  changes = 0;

  /** Whose account it is; undefined where nobody is signed in, and before that is known. */
  get user(): string | undefined {
    return this.#user;
  }

  /** Whether it is known that nobody is signed in. */
  get isAbsent(): boolean {
    return this.#isKnown && this.#user === undefined;
  }

  /** @param user undefined where nobody is signed in. */
  open(user: string | undefined): void {
    this.#user = user;
    this.#isKnown = true;
    this.changes++;
  }

  /** Undefined before the first one. */
  get portfolio(): PortfolioUpdate['data'] | undefined {
    return this.#portfolio;
  }

  /** The newest first. */
  get notifications(): readonly PersonalNotification[] {
    return this.#notifications;
  }

  /** How many have come in all. */
  get count(): number {
    return this.#count;
  }

  add(event: PersonalEvent, seq: number): void {
    if (isPortfolio(event)) this.#portfolio = event.data;
    else {
      this.#count++;
      this.#notifications.unshift({ ...event, seq });
      if (this.#notifications.length > MOST_NOTIFICATIONS) this.#notifications.pop();
    }
    this.changes++;
  }
}

/** A notification may be called anything but the five types, which the compiler cannot know. */
function isPortfolio(event: PersonalEvent): event is PortfolioUpdate {
  return event.type === 'portfolio_update';
}

export function isTrade(event: PersonalNotification): event is TradeNotification & { seq: number } {
  return event.type === 'trade_notification';
}

export function isAlert(event: PersonalNotification): event is SystemAlert & { seq: number } {
  return event.type === 'system_alert';
}
