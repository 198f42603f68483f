/** The sessions of an object that wakes: what their sockets' attachments say of them. */

import type { EventlessRooms } from './admission/eventless-rooms.ts';
import { type Attachment, restoreSession } from './attachment.ts';
import type { Socket } from './output/output.ts';
import type { Sessions } from './sessions.ts';
import type { ReadChannel } from './subscription.ts';

/** A socket that was held when the object slept; without an attachment one that was dismissed. */
export interface HeldSocket {
  readonly socket: Socket;
  readonly attachment: Attachment | null;
}

export interface Waking {
  readonly channelOf: (room: string) => ReadChannel | undefined;
  /** Whether a session of these rooms may be sent something only while its token has not ended. */
  readonly takesToken: (rooms: readonly string[]) => boolean;
  readonly eventless: EventlessRooms;
}

export function wakeSessions(
  sessions: Sessions,
  sockets: readonly HeldSocket[],
  { channelOf, takesToken, eventless }: Waking,
  now: number,
): void {
  const held = sockets.flatMap(({ socket, attachment }) => {
    if (attachment !== null) return [{ session: sessions.hold(socket, attachment), attachment }];
    sessions.holdClosing(socket);
    return [];
  });
  // A token may have ended meanwhile, and then nothing more is sent.
  for (const { session, attachment } of held) {
    const isOver = (attachment.tokenExpiresAt ?? Number.POSITIVE_INFINITY) <= now;
    const rooms = attachment.subscriptions.map(({ room }) => room);
    if (isOver && takesToken(rooms)) sessions.dismiss(session, 'token_expired');
  }
  for (const { session, attachment } of held) {
    if (!sessions.holds(session)) continue;
    restoreSession(session, channelOf, attachment, now);
    for (const room of session.subscriptions.keys()) eventless.count(room, session.address, now);
  }
}
