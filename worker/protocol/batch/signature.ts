/**
 * Standard Webhooks signatures (https://www.standardwebhooks.com): HMAC-SHA256 over
 * `{id}.{timestamp}.{body}`, keyed by a `whsec_` secret. The raw bytes are verified before anything is
 * parsed. WebCrypto does the work, and its `verify` compares in constant time.
 */

const SECRET_PREFIX = 'whsec_';
/** The specification asks for 24 to 64 bytes of key. */
const MIN_KEY_BYTES = 24;
const MAX_KEY_BYTES = 64;
/** How far the time of a message may differ from ours, in seconds. */
export const TOLERANCE_SECONDS = 300;
/** A sender that rotates its secret signs with two or three. More would only cost us time. */
const MAX_SIGNATURES = 8;

const ID_PATTERN = /^[\x21-\x7e]{1,128}$/;
const TIMESTAMP_PATTERN = /^[0-9]{1,12}$/;
const encoder = new TextEncoder();

export type SigningKey = CryptoKey;

/** What travels beside a signed body. */
export type SignatureHeaders = Readonly<{
  'webhook-id': string;
  'webhook-timestamp': string;
  'webhook-signature': string;
}>;

export type Verification<Key> =
  | { kind: 'verified'; id: string /** Unix seconds */; timestamp: number; key: Key }
  | { kind: 'missing' }
  | { kind: 'stale' }
  | { kind: 'invalid' };

/**
 * The bytes of a `whsec_<base64>` secret.
 * @throws {RangeError} when it has no such prefix, is not base64, or is not 24 to 64 bytes long.
 */
export function readSecret(secret: string): Uint8Array<ArrayBuffer> {
  if (!secret.startsWith(SECRET_PREFIX))
    throw new RangeError(`a secret starts with ${SECRET_PREFIX}`);
  const bytes = decodeBase64(secret.slice(SECRET_PREFIX.length));
  if (bytes === undefined) throw new RangeError(`a secret is base64 after ${SECRET_PREFIX}`);
  if (bytes.length < MIN_KEY_BYTES || bytes.length > MAX_KEY_BYTES) {
    throw new RangeError(
      `a secret has ${MIN_KEY_BYTES} to ${MAX_KEY_BYTES} bytes, not ${bytes.length}`,
    );
  }
  return bytes;
}

/** The key of a secret. @throws as `readSecret` does. */
export async function importSecret(secret: string): Promise<SigningKey> {
  const algorithm = { name: 'HMAC', hash: 'SHA-256' };
  return crypto.subtle.importKey('raw', readSecret(secret), algorithm, false, ['sign', 'verify']);
}

/** The headers for `body`, signed with every key, because in a rotation either side may be ahead. */
export async function sign(
  keys: readonly SigningKey[],
  id: string,
  body: Uint8Array,
  timestampSeconds = Math.floor(Date.now() / 1000),
): Promise<SignatureHeaders> {
  const content = signedContent(id, String(timestampSeconds), body);
  const signatures = await Promise.all(
    keys.map(async (key) => encodeBase64(await crypto.subtle.sign('HMAC', key, content))),
  );
  return signatureHeaders(id, timestampSeconds, signatures);
}

/** @param signatures in base64. */
export function signatureHeaders(
  id: string,
  timestampSeconds: number,
  signatures: readonly string[],
): SignatureHeaders {
  return {
    'webhook-id': id,
    'webhook-timestamp': String(timestampSeconds),
    'webhook-signature': signatures.map((signature) => `v1,${signature}`).join(' '),
  };
}

/** What stands before the body in what is signed. */
export function signedHead(id: string, timestamp: string | number): string {
  return `${id}.${timestamp}.`;
}

/** Tells which of `keys` signed `body`, and when. `key` is any object that carries a `signingKey`. */
export async function verify<Key extends { readonly signingKey: SigningKey }>(
  keys: readonly Key[],
  header: (name: keyof SignatureHeaders) => string | undefined,
  body: Uint8Array,
  nowSeconds = Date.now() / 1000,
): Promise<Verification<Key>> {
  const id = header('webhook-id');
  const timestampText = header('webhook-timestamp');
  const signatureText = header('webhook-signature');
  if (id === undefined || timestampText === undefined || signatureText === undefined) {
    return { kind: 'missing' };
  }
  if (!ID_PATTERN.test(id) || !TIMESTAMP_PATTERN.test(timestampText)) return { kind: 'invalid' };
  const timestamp = Number(timestampText);
  if (Math.abs(nowSeconds - timestamp) > TOLERANCE_SECONDS) return { kind: 'stale' };

  const content = signedContent(id, timestampText, body);
  for (const signature of signatureText.split(' ').slice(0, MAX_SIGNATURES)) {
    if (!signature.startsWith('v1,')) continue;
    const bytes = decodeBase64(signature.slice('v1,'.length));
    if (bytes === undefined) continue;
    for (const key of keys) {
      if (await crypto.subtle.verify('HMAC', key.signingKey, bytes, content)) {
        return { kind: 'verified', id, timestamp, key };
      }
    }
  }
  return { kind: 'invalid' };
}

/** A short name for a text that reveals nothing of it: 96 bits of its SHA-256 in base64. */
export async function fingerprint(text: string): Promise<string> {
  return encodeBase64(await crypto.subtle.digest('SHA-256', encoder.encode(text))).slice(0, 16);
}

function signedContent(id: string, timestamp: string, body: Uint8Array): Uint8Array<ArrayBuffer> {
  const head = encoder.encode(signedHead(id, timestamp));
  const content = new Uint8Array(head.length + body.length);
  content.set(head);
  content.set(body, head.length);
  return content;
}

function encodeBase64(bytes: ArrayBuffer): string {
  return btoa(String.fromCharCode(...new Uint8Array(bytes)));
}

function decodeBase64(text: string): Uint8Array<ArrayBuffer> | undefined {
  try {
    const characters = atob(text);
    const bytes = new Uint8Array(characters.length);
    for (let index = 0; index < bytes.length; index++) bytes[index] = characters.charCodeAt(index);
    return bytes;
  } catch {
    return undefined;
  }
}
