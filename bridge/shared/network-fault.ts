/** Why a peer could not be reached, by the codes of Node's sockets. */
import { causesOf } from './error-causes.ts';

export type NetworkFault =
  | 'dns_failed'
  | 'refused'
  | 'unreachable'
  | 'tls_failed'
  | 'closed'
  | 'foreign';

const FAULTS: Readonly<Record<string, NetworkFault>> = {
  ENOTFOUND: 'dns_failed',
  ENODATA: 'dns_failed',
  ESERVFAIL: 'dns_failed',
  ECONNREFUSED: 'refused',
  ETIMEDOUT: 'unreachable',
  EHOSTUNREACH: 'unreachable',
  EHOSTDOWN: 'unreachable',
  ENETUNREACH: 'unreachable',
  ENETDOWN: 'unreachable',
  EADDRNOTAVAIL: 'unreachable',
  ECONNRESET: 'closed',
  ECONNABORTED: 'closed',
  EPIPE: 'closed',
  EPROTO: 'tls_failed',
  HOSTNAME_MISMATCH: 'tls_failed',
  INVALID_CA: 'tls_failed',
  INVALID_PURPOSE: 'tls_failed',
  PATH_LENGTH_EXCEEDED: 'tls_failed',
  // This is a code of our own sockets to Kafka: see kafka-sockets.ts.
  ERR_NOT_KAFKA: 'foreign',
};
/** Families of codes: https://nodejs.org/api/tls.html#x509-certificate-error-codes */
const FAMILIES: readonly (readonly [RegExp, NetworkFault])[] = [
  [/^EAI_/, 'dns_failed'],
  [/^(ERR_TLS_|ERR_SSL_|ERR_OSSL_|CERT_|CRL_|UNABLE_TO_|ERROR_IN_)/, 'tls_failed'],
  [/SELF_SIGNED_CERT/, 'tls_failed'],
];
/** Node gives a handshake that the peer cuts short the code of any other cut. Its text is all there is. */
const HANDSHAKE_CUT = 'before secure TLS connection was established';

/** The fault in `error` or in what it wraps; undefined when it is none of the network. */
export function networkFault(error: unknown): NetworkFault | undefined {
  for (const cause of causesOf(error)) {
    if (cause.message.includes(HANDSHAKE_CUT)) return 'tls_failed';
    const fault = 'code' in cause ? faultOf(cause.code) : undefined;
    if (fault !== undefined) return fault;
  }
  return undefined;
}

function faultOf(code: unknown): NetworkFault | undefined {
  if (typeof code !== 'string') return undefined;
  if (Object.hasOwn(FAULTS, code)) return FAULTS[code];
  return FAMILIES.find(([pattern]) => pattern.test(code))?.[1];
}

/** What an error says. The error of several addresses that were tried says nothing itself. */
export function messageOf(error: unknown): string | undefined {
  for (const { message } of causesOf(error)) if (message !== '') return message;
  return undefined;
}
