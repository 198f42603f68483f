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
/** How a record of TLS begins: https://www.rfc-editor.org/rfc/rfc8446#section-5.1 */
const TLS_ALERT = 21;
const TLS_MAJOR_VERSION = 3;
/** Each answer of Kafka begins with its size, in so many bytes. */
const SIZE_BYTES = 4;
/**
 * Text begins with a character that can be seen, and as the first byte of a size this means 512 MiB or
 * more. No answer of Kafka is as long. The first one may be a fetch, since kafkajs asks one broker only
 * which versions it speaks.
 */
const LEAST_SIZE_IN_TEXT = 0x20_00_00_00;

/** @param brokers as `host:port`, an IPv6 address in brackets. */
export function escapeBrokers(brokers: readonly string[]): string[] {
  return brokers.map((broker) => {
    const address = /^\[(.+)\](:\d+)$/.exec(broker);
    if (address === null) return broker;
    const [, host = '', port = ''] = address;
    return encodeURIComponent(host) + port;
  });
}

/** A broker's address as it is configured, for one that kafkajs names. */
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
  socket.once('data', (first: Buffer) => {
    const error = foreignTo(first);
    if (error !== undefined) socket.destroy(error);
  });
  socket.setKeepAlive(true, KEEP_ALIVE_DELAY_MS);
  return socket;
};

/**
 * Why the first bytes of an answer are not Kafka's. kafkajs would take the text of another server for the
 * size of an answer of hundreds of megabytes, and wait. A listener of TLS answers a client without TLS by
 * an alert.
 */
function foreignTo(first: Buffer): Error | undefined {
  if (first[0] === TLS_ALERT && first[1] === TLS_MAJOR_VERSION) {
    return Object.assign(new Error('the listener speaks TLS'), { code: 'ERR_TLS_SPOKEN' });
  }
  if (first.length < SIZE_BYTES) return undefined;
  const size = first.readInt32BE();
  if (size >= 0 && size < LEAST_SIZE_IN_TEXT) return undefined;
  return Object.assign(new Error('the answer is not of Kafka'), { code: 'ERR_NOT_KAFKA' });
}
