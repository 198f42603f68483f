/**
 * The addresses of brokers as kafkajs can take them. kafkajs 2.2.4 cuts `host:port` at its first colon,
 * which in `[::1]:9092` is the address's own. So the colons of an address are escaped on their way
 * through kafkajs, and the socket factory, which kafkajs lets us provide, reads them back.
 */
import { connect, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { ISocketFactory } from 'kafkajs';

/** As kafkajs's own factory has it. */
const KEEP_ALIVE_DELAY_MS = 60_000;
/** How a record of TLS begins: https://www.rfc-editor.org/rfc/rfc8446#section-5.1 */
const TLS_ALERT = 21;
const TLS_MAJOR_VERSION = 3;

/** @param brokers as `host:port`, an IPv6 address in brackets. */
export function escapeBrokers(brokers: readonly string[]): string[] {
  return brokers.map((broker) => {
    const address = /^\[(.+)\](:\d+)$/.exec(broker);
    if (address === null) return broker;
    const [, host = '', port = ''] = address;
    return encodeURIComponent(host) + port;
  });
}

/** A broker's address as it is configured, for one that kafkajs tells of. */
export function unescapeBroker(broker: string): string {
  const [, host = '', port = ''] = /^(.*)(:\d+)$/.exec(withColons(broker)) ?? [];
  return host.includes(':') ? `[${host}]${port}` : `${host}${port}`;
}

function withColons(host: string): string {
  return host.replaceAll(/%3a/gi, ':');
}

/** What kafkajs's own factory does, for a host that `escapeBrokers` has escaped as well. */
export const socketFactory: ISocketFactory = ({ host: escaped, port, ssl, onConnect }) => {
  const host = withColons(escaped);
  // A name that certificates are compared with is no address.
  const servername = isIP(host) === 0 ? { servername: host } : {};
  const socket = ssl
    ? connectTls({ host, port, ...servername, ...ssl }, onConnect)
    : connect({ host, port }, onConnect);
  if (!ssl) socket.once('data', (first: Buffer) => refuseTls(socket, first));
  socket.setKeepAlive(true, KEEP_ALIVE_DELAY_MS);
  return socket;
};

/**
 * A listener of TLS answers a client without TLS by an alert, whose first bytes kafkajs would take for the
 * size of an answer of 350 MB, and wait.
 */
function refuseTls(socket: Socket, first: Buffer): void {
  if (first[0] !== TLS_ALERT || first[1] !== TLS_MAJOR_VERSION) return;
  const error = new Error('the listener speaks TLS');
  socket.destroy(Object.assign(error, { code: 'ERR_TLS_SPOKEN' }));
}
