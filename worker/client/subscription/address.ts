/** Where the sockets of a client go to. */
/**
 * The address of a room's own socket, or of a relay.
 * @param home where the gateway wants the client back.
 */
export function addressOf(url: URL, room: string | undefined, home?: string): URL {
  const door = new URL(url);
  const path = room === undefined ? 'ws' : `rooms/${encodeURIComponent(room)}`;
  door.pathname = `${url.pathname.replace(/\/$/, '')}/v1/${path}`;
  // A path alone: the token goes to no other gateway, whatever a frame says.
  return String(home).startsWith('/') ? new URL(url.origin + home) : door;
}
