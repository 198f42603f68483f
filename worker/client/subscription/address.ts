/** Where the sockets of a client go to. */
/**
 * The address of a room's own socket, or of a relay.
 * @param home where the gateway wants the client back.
 */
export function addressOf(url: URL, room: string | undefined, home?: string): URL {
  const base = url.pathname.replace(/\/$/, '');
  const door = new URL(url);
  const path = room === undefined ? 'ws' : `rooms/${encodeURIComponent(room)}`;
  door.pathname = `${base}/v1/${path}`;
  // A path alone: the token goes to no other gateway, whatever a frame says.
  if (!String(home).startsWith('/')) return door;
  const atHome = new URL(url.origin + base + home);
  for (const [name, value] of url.searchParams) atHome.searchParams.set(name, value);
  return atHome;
}
