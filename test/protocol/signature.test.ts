import fc from 'fast-check';
import { Webhook } from 'standardwebhooks';
import { describe, expect, it } from 'vitest';
import {
  importSecret,
  sign,
  TOLERANCE_SECONDS,
  verify,
} from '../../worker/protocol/batch/signature.ts';

const secretOf = (bytes: Uint8Array) => `whsec_${Buffer.from(bytes).toString('base64')}`;
const secret = secretOf(new TextEncoder().encode('a secret of thirty-two bytes....'));
const text = new TextEncoder();

const headerOf = (headers: Record<string, string>) => (name: string) => headers[name];

describe('signatures of the Standard Webhooks specification', () => {
  it('made by the standardwebhooks package verify here', async () => {
    const key = { signingKey: await importSecret(secret) };
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary' }), fc.uuid(), async (body, id) => {
        const now = new Date();
        const headers = {
          'webhook-id': id,
          'webhook-timestamp': String(Math.floor(now.getTime() / 1000)),
          'webhook-signature': new Webhook(secret).sign(id, now, body),
        };
        const result = await verify([key], headerOf(headers), text.encode(body));
        expect(result).toMatchObject({ kind: 'verified', id, key });
      }),
    );
  });

  it('made here verify with the standardwebhooks package', async () => {
    const keys = [await importSecret(secret)];
    await fc.assert(
      fc.asyncProperty(fc.json(), fc.uuid(), async (body, id) => {
        const headers = await sign(keys, id, text.encode(body));
        expect(new Webhook(secret).verify(body, { ...headers })).toEqual(JSON.parse(body));
      }),
    );
  });

  it('verify by whichever of the known secrets made them, and by no other', async () => {
    const [old, current, stranger] = await Promise.all(
      [1, 2, 3].map(async (byte) => ({
        name: byte,
        signingKey: await importSecret(secretOf(new Uint8Array(24).fill(byte))),
      })),
    );
    if (!old || !current || !stranger) throw new Error('three keys');
    const body = text.encode('{}');
    const both = await sign([stranger.signingKey, old.signingKey], 'id', body);
    expect(await verify([current, old], headerOf({ ...both }), body)).toMatchObject({ key: old });
    expect((await verify([current], headerOf({ ...both }), body)).kind).toBe('invalid');
    expect((await verify([], headerOf({ ...both }), body)).kind).toBe('invalid');
  });

  it('are stale outside the tolerance, by the second', async () => {
    const key = { signingKey: await importSecret(secret) };
    const body = text.encode('{}');
    const headers = await sign([key.signingKey], 'id', body, 1_000_000);
    const at = async (seconds: number) =>
      (await verify([key], headerOf({ ...headers }), body, seconds)).kind;
    expect(await at(1_000_000 + TOLERANCE_SECONDS)).toBe('verified');
    expect(await at(1_000_000 - TOLERANCE_SECONDS)).toBe('verified');
    expect(await at(1_000_001 + TOLERANCE_SECONDS)).toBe('stale');
    expect(await at(999_999 - TOLERANCE_SECONDS)).toBe('stale');
  });

  it('of another version, or broken ones, are invalid and never throw', async () => {
    const key = { signingKey: await importSecret(secret) };
    const body = text.encode('{}');
    const headers = await sign([key.signingKey], 'id', body);
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary' }), async (signature) => {
        const changed = { ...headers, 'webhook-signature': signature };
        expect((await verify([key], headerOf(changed), body)).kind).toBe('invalid');
      }),
    );
    const v1a = {
      ...headers,
      'webhook-signature': headers['webhook-signature'].replace('v1', 'v1a'),
    };
    expect((await verify([key], headerOf(v1a), body)).kind).toBe('invalid');
  });

  it.each(['secret', 'whsec_%%%', `whsec_${btoa('short')}`, secretOf(new Uint8Array(65))])(
    'refuse the secret %j',
    async (bad) => {
      await expect(importSecret(bad)).rejects.toThrow(RangeError);
    },
  );
});
