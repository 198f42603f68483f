/**
 * The PEM files for TLS. OpenSSL takes a file that has no certificate for an empty list of authorities,
 * and every broker would be refused for it, so the files are judged at the start.
 */
import { X509Certificate } from 'node:crypto';
import { createSecureContext } from 'node:tls';
import { ConfigError, type Environment } from '../../worker/protocol/environment/variables.ts';
import { file } from './file-variable.ts';

const CA = 'KAFKA_SSL_CA_FILE';
const CERT = 'KAFKA_SSL_CERT_FILE';
const KEY = 'KAFKA_SSL_KEY_FILE';
export const TLS_FILES: readonly string[] = [CA, CERT, KEY];

const PEM_CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g;

export interface TlsFiles {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

/** @throws {ConfigError} */
export function readTlsFiles(env: Environment): TlsFiles {
  const files: TlsFiles = {
    ...file(env, CA, 'ca'),
    ...file(env, CERT, 'cert'),
    ...file(env, KEY, 'key'),
  };
  const { ca, cert, key } = files;
  if (ca !== undefined) requireCertificates(CA, ca);
  if (cert !== undefined) requireCertificates(CERT, cert);
  if (cert !== undefined && key === undefined)
    throw new ConfigError(KEY, `is missing beside ${CERT}`);
  if (key !== undefined && cert === undefined)
    throw new ConfigError(CERT, `is missing beside ${KEY}`);
  if (cert !== undefined && key !== undefined) requirePair(cert, key);
  return files;
}

function requireCertificates(variable: string, text: string): void {
  const certificates = text.match(PEM_CERTIFICATE) ?? [];
  try {
    for (const certificate of certificates) new X509Certificate(certificate);
    if (certificates.length > 0) return;
  } catch {
    throw new ConfigError(variable, 'names a file with a certificate that cannot be read');
  }
  throw new ConfigError(variable, 'names a file that has no certificate in PEM');
}

function requirePair(cert: string, key: string): void {
  try {
    createSecureContext({ cert, key });
  } catch {
    // What OpenSSL says is left out, because it does not help an operator.
    const complaint = `names a file that has no key in PEM, without a passphrase, of ${CERT}`;
    throw new ConfigError(KEY, complaint);
  }
}
