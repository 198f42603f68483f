import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  elementsOf,
  fieldsOf,
  inspectKeys,
  JsonTextReader,
} from '../../worker/protocol/json-text.ts';

/** Any JSON text: any value, indented or not, with any escapes. */
const jsonText = fc
  .tuple(
    fc.jsonValue({ stringUnit: 'binary', maxDepth: 5 }),
    fc.constantFrom(undefined, 1, '\t', ' \n'),
    fc.boolean(),
  )
  .map(([value, indent, escaping]) => {
    const text = JSON.stringify(value, null, indent);
    return escaping ? text.replaceAll(/[^\x20-\x7e\s]/g, escaped) : text;
  });

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

describe('JsonTextReader', () => {
  it('finds the text of every field of an object', () => {
    const objectText = fc.dictionary(fc.string({ unit: 'binary' }), jsonText).map((fields) => {
      const parts = Object.entries(fields).map(([key, text]) => `${JSON.stringify(key)} : ${text}`);
      return { fields, text: ` {${parts.join(' ,\n')} } ` };
    });
    fc.assert(
      fc.property(objectText, ({ fields, text }) => {
        const reader = new JsonTextReader(text);
        expect(reader.enterObject()).toBe(true);
        const found: Record<string, string> = Object.create(null);
        for (let key = reader.nextKey(); key !== undefined; key = reader.nextKey()) {
          const { start, end } = reader.skip();
          found[key] = text.slice(start, end);
        }
        expect(Object.entries(found)).toEqual(Object.entries(fields));
      }),
    );
  });

  it('does not step into a value of another kind', () => {
    expect(new JsonTextReader('[]').enterObject()).toBe(false);
    expect(new JsonTextReader('"{"').enterObject()).toBe(false);
    expect(new JsonTextReader('{}').enterArray()).toBe(false);
  });

  it.each([
    ['1', 0, 0],
    ['"[{:"', 0, 0],
    ['[[],{"a":{"b":"c:d"}}]', 2, 3],
    [`${'['.repeat(50_000)}${']'.repeat(50_000)}`, 0, 50_000],
  ])('counts fields and depth of %.20s', (text, fields, depth) => {
    expect(new JsonTextReader(text).skip()).toMatchObject({ fields, depth });
  });
});

describe('inspectKeys', () => {
  const inspect = (text: string) =>
    inspectKeys(JSON.parse(text), new JsonTextReader(text).skip().fields);
  const faultOf = (text: string) => inspect(text).fault;

  it('finds no fault in what JSON.stringify made', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 5 }), (text) => {
        fc.pre(!/"(__proto__|constructor|prototype)":/.test(text) && /^[[{]/.test(text));
        expect(faultOf(text)).toBeUndefined();
      }),
    );
  });

  it.each([
    ['{"a":1,"a":1}', 'duplicate_key'],
    ['[[{"x":[{"a":1,"\\u0061":2}]}]]', 'duplicate_key'],
    ['{"__proto__":1}', 'forbidden_key'],
    ['{"a":{"\\u005f_proto__":{}}}', 'forbidden_key'],
    ['[{"constructor":1}]', 'forbidden_key'],
    ['{"a":"__proto__"}', undefined],
  ])('of %s is %s', (text, fault) => {
    expect(faultOf(text)).toBe(fault);
  });

  it.each([
    ['{"data":{"userId":"u"}}', true],
    ['{"data":{"makers":[[{"user\\u0049d":"u"}]]}}', true],
    ['{"userId":"u","data":{}}', false],
    ['{"metadata":{"userId":"u"},"data":{"user":"userId"}}', false],
  ])('of %s tells whether its data names a user: %s', (text, namesUser) => {
    expect(inspect(text)).toEqual({ fault: undefined, namesUser });
  });
});

describe('fieldsOf', () => {
  it.each(['["x"]', '"x"', '1', '', '{"x'])('throws on %j, which is no object', (text) => {
    expect(() => fieldsOf(text)).toThrow(SyntaxError);
  });
});

describe('elementsOf', () => {
  it('has the text of every element, in order', () => {
    fc.assert(
      fc.property(fc.array(jsonText), (elements) => {
        expect(elementsOf(`[ ${elements.join(' , ')} ]`)).toEqual(elements);
      }),
    );
  });

  it.each(['{"x":1}', '"x"', '1', ''])('throws on %j, which is no array', (text) => {
    expect(() => elementsOf(text)).toThrow(SyntaxError);
  });
});
