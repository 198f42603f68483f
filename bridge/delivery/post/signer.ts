/**
 * Signs bodies as the protocol's `sign` does, but on this thread. WebCrypto hands each signature to another
 * thread, and for a batch of a few records that costs many times what the signature does: it took 28 % of
 * the bridge's time at 800 records a second.
 */
import { createHmac, createSecretKey, type KeyObject } from 'node:crypto';
import {
  readSecret,
  type SignatureHeaders,
  signatureHeaders,
  signedHead,
} from '../../../worker/protocol/batch/signature.ts';

/** The key of a `whsec_` secret. It rejects with a RangeError as the protocol's `importSecret` does. */
export async function importSigningKey(secret: string): Promise<KeyObject> {
  return createSecretKey(readSecret(secret));
}

/** The headers for `body`, signed with every key, because in a rotation either side may be ahead. */
export function sign(
  keys: readonly KeyObject[],
  id: string,
  body: Uint8Array,
  timestampSeconds: number,
): SignatureHeaders {
  const head = signedHead(id, timestampSeconds);
  const signatures = keys.map((key) =>
    createHmac('sha256', key).update(head).update(body).digest('base64'),
  );
  return signatureHeaders(id, timestampSeconds, signatures);
}
