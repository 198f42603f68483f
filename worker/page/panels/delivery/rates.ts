/** What comes and what is drawn, a second; and in words what is left out. */
import type { Delivery } from '../../delivery/delivery.ts';
import { Rate } from '../../delivery/rate.ts';
import type { Overtaken } from '../../model/overtaken.ts';
import { setText, value } from '../../view/dom.ts';
import { whole } from '../../view/format.ts';
import { every, type Panel } from '../../view/frame-loop.ts';

const LOOK_MS = 500;

export function ratesPanel(
  { events, frames, characters }: Delivery,
  drawn: Rate,
  overtaken: Overtaken,
): Panel {
  const leftOut = new Rate();
  const look = every(LOOK_MS, (now) => {
    leftOut.add(overtaken.count - leftOut.total, now);
    setText(value('events'), whole(events.perSecond(now)));
    setText(value('frames'), whole(frames.perSecond(now)));
    setText(value('bytes'), (characters.perSecond(now) / 1_000).toFixed(1));
    setText(value('drawn'), whole(drawn.perSecond(now)));
    setText(value('left-out'), leftOutText(Math.ceil(leftOut.perSecond(now))));
  });
  return (now) => {
    overtaken.drawn();
    return look(now);
  };
}

function leftOutText(count: number): string {
  if (count === 0) return 'Each price and each book is drawn.';
  return `${whole(count)} prices and books a second are not drawn, newer ones are.`;
}
