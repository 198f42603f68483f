/** What libraries and systems say of a failure: each has a name of ours, and each name a remedy. */
import { describe, expect, test } from 'vitest';
import { troubleOf } from '../../bridge/kafka/kafka-error.ts';
import { remedyOf } from '../../bridge/remedies.ts';
import { networkFault } from '../../bridge/shared/network-fault.ts';
import { HTTP_ERRORS } from '../../worker/protocol/codes.ts';

const coded = (code: string, message = code) => Object.assign(new Error(message), { code });

const CODES: readonly [string, string | undefined][] = [
  ['ENOTFOUND', 'dns_failed'],
  ['EAI_AGAIN', 'dns_failed'],
  ['EAI_NONAME', 'dns_failed'],
  ['ECONNREFUSED', 'refused'],
  ['ETIMEDOUT', 'unreachable'],
  ['EHOSTUNREACH', 'unreachable'],
  ['ENETUNREACH', 'unreachable'],
  ['ECONNRESET', 'closed'],
  ['EPIPE', 'closed'],
  ['EPROTO', 'tls_failed'],
  ['CERT_HAS_EXPIRED', 'tls_failed'],
  ['CERT_NOT_YET_VALID', 'tls_failed'],
  ['CERT_SIGNATURE_FAILURE', 'tls_failed'],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', 'tls_failed'],
  ['SELF_SIGNED_CERT_IN_CHAIN', 'tls_failed'],
  ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'tls_failed'],
  ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', 'tls_failed'],
  ['ERR_TLS_CERT_ALTNAME_INVALID', 'tls_failed'],
  ['ERR_SSL_WRONG_VERSION_NUMBER', 'tls_failed'],
  ['ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION', 'tls_failed'],
  ['ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED', 'tls_failed'],
  ['HOSTNAME_MISMATCH', 'tls_failed'],
  ['ERR_INVALID_ARG_TYPE', undefined],
  ['toString', undefined],
  ['', undefined],
];

describe('the fault of the network', () => {
  test.each(CODES)('of %s is %s', (code, fault) => {
    expect(networkFault(coded(code))).toBe(fault);
    const wrapped = new Error('fetch failed', { cause: new AggregateError([coded(code)], '') });
    expect(networkFault(wrapped)).toBe(fault);
  });

  test.each([undefined, null, 'ECONNREFUSED', {}, new Error('x'), { code: 'ENOTFOUND' }])(
    'of %j, which is no fault of the network, is undefined',
    (error) => {
      expect(networkFault(error)).toBeUndefined();
    },
  );

  test('is found where causes go round in a circle', () => {
    const error = coded('X');
    error.cause = new Error('outer', { cause: error });
    expect(networkFault(error)).toBeUndefined();
  });
});

describe('the trouble with Kafka', () => {
  const brokers = ['a:9092', '[::1]:9092'];
  const named = (name: string, more: object = {}) =>
    Object.assign(new Error('said'), { name, ...more });
  const retried = (cause: Error) =>
    Object.assign(new Error(cause.message, { cause }), { name: 'KafkaJSNumberOfRetriesExceeded' });
  const connection = (code: string | undefined, broker: string) =>
    retried(named('KafkaJSConnectionError', { code, broker }));

  test.each([
    ['a name without an address', connection('ENOTFOUND', 'a:9092'), 'kafka_dns_failed'],
    ['a refusal', connection('ECONNREFUSED', 'a:9092'), 'kafka_refused'],
    ['a time-out', connection(undefined, 'a:9092'), 'kafka_unreachable'],
    ['a refusal by IPv6', connection('ECONNREFUSED', '%3A%3A1:9092'), 'kafka_refused'],
    ['another broker', connection('ECONNREFUSED', 'b:9092'), 'kafka_listener_unreachable'],
    ['another name', connection('ENOTFOUND', 'kafka-0:9092'), 'kafka_listener_unreachable'],
    ['another time-out', connection(undefined, '10.0.0.1:9092'), 'kafka_listener_unreachable'],
    ['another IPv6', connection('ECONNREFUSED', '::2:9092'), 'kafka_listener_unreachable'],
    [
      'another broker that closes',
      retried(named('KafkaJSConnectionClosedError', { broker: 'b:9092' })),
      'kafka_closed',
    ],
    ['a request', named('KafkaJSRequestTimeoutError', { broker: 'a:9092' }), 'no_answer'],
    ['a password', named('KafkaJSSASLAuthenticationError'), 'SASL_AUTHENTICATION_FAILED'],
    [
      'a right',
      retried(named('KafkaJSProtocolError', { type: 'GROUP_AUTHORIZATION_FAILED' })),
      'GROUP_AUTHORIZATION_FAILED',
    ],
    ['a bug', new TypeError('x is not a function'), 'TypeError'],
    ['nothing', undefined, 'kafka_unavailable'],
    ['a text', 'why', 'kafka_unavailable'],
  ])('with %s', (_what, error, reason) => {
    expect(troubleOf(error, brokers).reason).toBe(reason);
  });

  test('says which broker it is about', () => {
    const { message } = troubleOf(connection(undefined, '%3A%3A1:9092'), brokers);
    expect(message).toBe('said ([::1]:9092)');
  });
});

describe('a remedy', () => {
  const network = ['dns_failed', 'refused', 'unreachable', 'tls_failed', 'closed'];

  test.each([
    ...network.flatMap((fault) => [`kafka_${fault}`, `gateway_${fault}`]),
    'kafka_listener_unreachable',
    'no_answer',
    'slow_answer',
    'answer_unreadable',
    'http_401',
    'http_503',
    'missing: a, b',
    'dead_letter: TOPIC_AUTHORIZATION_FAILED',
    'dead_letter: kafka_refused',
    'SASL_AUTHENTICATION_FAILED',
    'GROUP_AUTHORIZATION_FAILED',
    'TOPIC_AUTHORIZATION_FAILED',
    'CLUSTER_AUTHORIZATION_FAILED',
  ])('is known for %s', (reason) => {
    expect(remedyOf(reason)).toMatch(/^[A-Z].*\.$/);
  });

  /** Those of other routes, and those that settle a batch. */
  const NEVER_AWAITED =
    /^(token_|room_(invalid|forbidden|full)|symbol_|cursor_|rate_|trace_|limit_|upgrade_)/;
  const SETTLED = ['batch_too_large', 'record_malformed'];

  test('is known for each code of the gateway that the bridge may wait for', () => {
    const awaited = Object.keys(HTTP_ERRORS).filter(
      (code) => !NEVER_AWAITED.test(code) && !SETTLED.includes(code),
    );
    expect(awaited.filter((code) => remedyOf(code) === undefined)).toEqual([]);
  });

  test.each(['connecting', 'stopping', 'toString', ''])('is not made up for "%s"', (reason) => {
    expect(remedyOf(reason)).toBeUndefined();
  });
});
