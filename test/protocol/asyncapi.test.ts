import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Ajv } from 'ajv';
import { describe, expect, it } from 'vitest';
import { asyncApi, FRAMES, jsonSchemas, MESSAGES } from '../../worker/protocol/asyncapi.ts';
import { PROTOCOL_VERSION } from '../../worker/protocol/frames.ts';

const SPECIFICATION = fileURLToPath(import.meta.resolve('@asyncapi/specs/schemas/3.0.0.json'));

/**
 * The fingerprint of the schemas of all frames and messages, by the protocol's version. After a change that
 * an old client does not notice (a new optional field), the fingerprint is replaced here; a change that it
 * would misread takes a new version.
 */
const FINGERPRINTS: Readonly<Record<number, string>> = {
  1: '00351517ae59233f',
};

describe('the AsyncAPI document', () => {
  it('is kept beside the schemas, and is what they say (vitest --update writes it)', async () => {
    const text = `${JSON.stringify(asyncApi(), null, 2)}\n`;
    await expect(text).toMatchFileSnapshot('../../worker/protocol/asyncapi.json');
  });

  it('is valid AsyncAPI 3', () => {
    const ajv = new Ajv({
      strict: false,
      validateFormats: false,
      validateSchema: false,
      meta: false,
    });
    const validate = ajv.compile(JSON.parse(readFileSync(SPECIFICATION, 'utf8')));
    validate(asyncApi());
    expect(validate.errors).toBeNull();
    expect(validate({ ...asyncApi(), operations: { receive: { action: 'shout' } } })).toBe(false);
  });
});

describe('the protocol’s version', () => {
  it('changes when a message changes', () => {
    const schemas = JSON.stringify([jsonSchemas(FRAMES), jsonSchemas(MESSAGES)]);
    const fingerprint = createHash('sha256').update(schemas).digest('hex').slice(0, 16);
    expect(fingerprint).toBe(FINGERPRINTS[PROTOCOL_VERSION]);
  });
});
