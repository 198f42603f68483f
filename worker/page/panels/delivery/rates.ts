/** How much comes, and how often the page is drawn. */
import type { Delivery } from '../../delivery/delivery.ts';
import type { Rate } from '../../delivery/rate.ts';
import { setText, value } from '../../view/dom.ts';
import { whole } from '../../view/format.ts';
import { every, type Panel } from '../../view/frame-loop.ts';

const LOOK_MS = 500;

export function ratesPanel({ events, frames, characters }: Delivery, drawn: Rate): Panel {
  return every(LOOK_MS, (now) => {
    setText(value('events'), whole(events.perSecond(now)));
    setText(value('frames'), whole(frames.perSecond(now)));
    setText(value('bytes'), (characters.perSecond(now) / 1_000).toFixed(1));
    setText(value('drawn'), whole(drawn.perSecond(now)));
  });
}
