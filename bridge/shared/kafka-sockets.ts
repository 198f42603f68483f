/**
 * The addresses of brokers as kafkajs can take them. kafkajs 2.2.4 cuts `host:port` at its first colon,
 * which in `[::1]:9092` is the address's own. So the colons of an address are escaped on their way
 * through kafkajs, and the socket factory, which kafkajs lets us provide, reads them back.
 */
import { connect, isIP } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { ISocketFactory } from 'kafkajs';

/** As kafkajs's own factory has it. */
const KEEP_ALIVE_DELAY_MS = 60_000;

/** @param brokers as `host:port`, an IPv6 address in brackets. */
export function escapeBrokers(brokers: readonly string[]): string[] {
  return brokers.map((broker) => {
    const address = /^\[(.+)\](:\d+)$/.exec(broker);
    if (address === null) return broker;
    const [, host = '', port = ''] = address;
    return encodeURIComponent(host) + port;
  });
}

/** What kafkajs's own factory does, for a host that `escapeBrokers` has escaped as well. */
export const socketFactory: ISocketFactory = ({ host: escaped, port, ssl, onConnect }) => {
  const host = escaped.replaceAll(/%3a/gi, ':');
  // A name that certificates are compared with is no address.
  const servername = isIP(host) === 0 ? { servername: host } : {};
  const socket = ssl
    ? connectTls({ host, port, ...servername, ...ssl }, onConnect)
    : connect({ host, port }, onConnect);
  socket.setKeepAlive(true, KEEP_ALIVE_DELAY_MS);
  return socket;
};
