/** Each room with its cursor, and what became of what was missed. */
import type { Rooms } from '../../delivery/rooms.ts';
import { fill, find, makeRow, panel, type Row, setData, setText, value } from '../../view/dom.ts';
import { whole } from '../../view/format.ts';
import { every, type Panel } from '../../view/frame-loop.ts';

const LOOK_MS = 200;
/** Prices of all pairs, three rooms of the chosen one, the user's, and `system`. */
const RESERVED = 6;
/** How rooms begin, in the order in which they are shown. */
const ORDER = ['price:', 'orderbook:', 'trade:', 'price_updates', 'user:', 'system'];

export function roomsPanel(rooms: Rooms): Panel {
  const body = find('.rooms tbody', panel('delivery'));
  const lines: Row[] = Array.from({ length: RESERVED }, () => makeRow(4, true));
  body.replaceChildren(...lines.map(({ element }) => element));
  return every(LOOK_MS, () => {
    const rows = rooms.rows.toSorted((a, b) => placeOf(a.room) - placeOf(b.room));
    for (const [index, line] of lines.entries()) {
      const row = rows[index];
      const { element } = line;
      fill(line, row ? [row.room, whole(row.seq), whole(row.conflated), whole(row.gaps)] : []);
      setData(element, 'state', row?.state ?? '');
      element.title = row?.epoch === undefined ? '' : `epoch ${row.epoch}: ${row.state}`;
    }
    setText(value('losses'), lossesText(rooms.losses));
    const { missed = 0, again = 0, replaced = 0, lost = 0 } = rooms.resume ?? {};
    for (const [name, count] of Object.entries({ missed, again, replaced, lost })) {
      setText(value(name), whole(count));
    }
  });
}

function placeOf(room: string): number {
  return ORDER.findIndex((begin) => room.startsWith(begin));
}

function lossesText(losses: number): string {
  if (losses === 0) return 'not yet';
  return losses === 1 ? 'once so far' : `${losses} times so far`;
}
