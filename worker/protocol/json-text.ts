/**
 * Reads where the parts of a JSON document stand in its text, in one pass and without building
 * anything. Digits are sacred: what is passed on is a slice of what came in. `JSON.parse` has
 * accepted the text before, so only strings and brackets need to be told apart here.
 */

const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_BRACKET = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const SPACE = 0x20;

/** What `skip` saw in the value that it passed over. */
export interface Skipped {
  /** Offsets into the text: `text.slice(start, end)` is the value. */
  readonly start: number;
  readonly end: number;
  /** How many fields all its objects have together, with duplicates. */
  readonly fields: number;
  /** How many brackets and braces are open at most: 0 for a string, number or literal. */
  readonly depth: number;
}

/** The JSON text of a value, and what a pass over it has counted. */
export interface JsonText {
  readonly text: string;
  /** How many fields all its objects have together, with duplicates. */
  readonly fields: number;
  /** How deep it nests. */
  readonly depth: number;
}

export class JsonTextReader {
  readonly text: string;
  #at = 0;

  /** @param text valid JSON; anything else gives meaningless slices. */
  constructor(text: string, at = 0) {
    this.text = text;
    this.#at = at;
    this.#skipSpace();
  }

  /** Steps into the object at hand. False, without a step, when the value is no object. */
  enterObject(): boolean {
    return this.#enter(OPEN_BRACE);
  }

  /** Steps into the array at hand. False, without a step, when the value is no array. */
  enterArray(): boolean {
    return this.#enter(OPEN_BRACKET);
  }

  /** Steps to the value of the object's next field, and returns its key; undefined at the end. */
  nextKey(): string | undefined {
    this.#skipCommaAndSpace();
    if (this.text.charCodeAt(this.#at) === CLOSE_BRACE) {
      this.#leave();
      return undefined;
    }
    const start = this.#at;
    this.#at = this.#endOfString(start);
    const raw = this.text.slice(start + 1, this.#at - 1);
    const key = raw.includes('\\') ? String(JSON.parse(`"${raw}"`)) : raw;
    this.#skipSpace();
    this.#at++; // the colon
    this.#skipSpace();
    return key;
  }

  /** Steps to the array's next element. False at the end. */
  nextElement(): boolean {
    this.#skipCommaAndSpace();
    if (this.text.charCodeAt(this.#at) !== CLOSE_BRACKET) return true;
    this.#leave();
    return false;
  }

  /** Passes over the value at hand, and returns where it stood. */
  skip(): Skipped {
    const { text } = this;
    const start = this.#at;
    let at = start;
    let open = 0;
    let depth = 0;
    let fields = 0;
    do {
      switch (text.charCodeAt(at)) {
        case QUOTE:
          at = this.#endOfString(at);
          break;
        case OPEN_BRACE:
        case OPEN_BRACKET:
          open++;
          if (open > depth) depth = open;
          at++;
          break;
        case CLOSE_BRACE:
        case CLOSE_BRACKET:
          open--;
          at++;
          break;
        case COLON:
          fields++;
          at++;
          break;
        default:
          at = open === 0 ? this.#endOfLiteral(at) : at + 1;
      }
    } while (open > 0);
    this.#at = at;
    this.#skipSpace();
    return { start, end: at, fields, depth };
  }

  #enter(bracket: number): boolean {
    if (this.text.charCodeAt(this.#at) !== bracket) return false;
    this.#at++;
    return true;
  }

  #leave(): void {
    this.#at++;
    this.#skipSpace();
  }

  #skipSpace(): void {
    // Between tokens, only white space is at or below U+0020.
    while (this.text.charCodeAt(this.#at) <= SPACE) this.#at++;
  }

  #skipCommaAndSpace(): void {
    this.#skipSpace();
    if (this.text.charCodeAt(this.#at) === COMMA) this.#at++;
    this.#skipSpace();
  }

  #endOfString(openingQuote: number): number {
    const { text } = this;
    let at = openingQuote;
    for (;;) {
      at = text.indexOf('"', at + 1);
      if (at === -1) throw new SyntaxError('the text is no JSON: a string has no end');
      let backslashes = 0;
      while (text.charCodeAt(at - 1 - backslashes) === BACKSLASH) backslashes++;
      if (backslashes % 2 === 0) return at + 1;
    }
  }

  #endOfLiteral(start: number): number {
    const { text } = this;
    for (let at = start; at < text.length; at++) {
      const code = text.charCodeAt(at);
      if (code <= SPACE || code === COMMA || code === CLOSE_BRACE || code === CLOSE_BRACKET) {
        return at;
      }
    }
    return text.length;
  }
}

/**
 * The text of each field of an object, by key.
 * @param object its JSON text.
 * @throws {SyntaxError} when the text is no object.
 */
export function fieldsOf(object: string): Map<string, string> {
  const fields = new Map<string, string>();
  const reader = new JsonTextReader(object);
  if (!reader.enterObject()) throw new SyntaxError('the text is no JSON object');
  for (let key = reader.nextKey(); key !== undefined; key = reader.nextKey()) {
    const { start, end } = reader.skip();
    fields.set(key, object.slice(start, end));
  }
  return fields;
}

/**
 * The text of each element of an array.
 * @param array its JSON text.
 * @throws {SyntaxError} when the text is no array.
 */
export function elementsOf(array: string): string[] {
  const elements: string[] = [];
  const reader = new JsonTextReader(array);
  if (!reader.enterArray()) throw new SyntaxError('the text is no JSON array');
  while (reader.nextElement()) {
    const { start, end } = reader.skip();
    elements.push(array.slice(start, end));
  }
  return elements;
}

/** If a receiver merged one of these keys carelessly, it would change every object there. */
const FORBIDDEN_KEYS = new Set(['__proto__', 'constructor', 'prototype']);

/** What is known of an event from its keys. */
export interface Keys {
  /**
   * Parsers disagree about which of two fields with one key counts. A duplicate is found because it
   * leaves fewer keys in the value than its text has fields.
   */
  readonly fault: 'duplicate_key' | 'forbidden_key' | undefined;
  /** Whether the key `userId` stands anywhere in its `data`. */
  readonly namesUser: boolean;
}

/** @param fields how many fields the text of `event` has, in all its objects. */
export function inspectKeys(event: object, fields: number): Keys {
  const metadata: unknown = 'metadata' in event ? event.metadata : undefined;
  let found = 0;
  let namesUser = false;
  const objects: unknown[] = [event];
  const arrays: unknown[][] = [];
  // Arrays come last: once all fields are found, the hundreds of levels of a book need no look.
  while (found < fields) {
    const object = objects.pop() ?? arrays.pop();
    if (typeof object !== 'object' || object === null) {
      if (objects.length === 0 && arrays.length === 0) return { fault: 'duplicate_key', namesUser };
    } else if (Array.isArray(object)) {
      for (const item of object) {
        if (Array.isArray(item)) arrays.push(item);
        else if (typeof item === 'object') objects.push(item);
      }
    } else {
      // Every enumerable key of a parsed object is its own. (Object.entries took three times as long.)
      for (const key in object) {
        if (FORBIDDEN_KEYS.has(key)) return { fault: 'forbidden_key', namesUser };
        if (key === 'userId' && object !== event && object !== metadata) namesUser = true;
        found++;
        const value: unknown = Reflect.get(object, key);
        if (Array.isArray(value)) arrays.push(value);
        else if (typeof value === 'object') objects.push(value);
      }
    }
  }
  return { fault: undefined, namesUser };
}
