/**
 * The symbols that this gateway knows. A symbol that is not named by the operator makes no room: its
 * events are rejected, and nobody may read it, so that nobody makes objects by asking for them.
 */

import { ConfigError, list } from './protocol/environment/variables.ts';
import { isName, normalForm, symbolOfRoom } from './protocol/rooms.ts';

const VARIABLE = 'SYMBOLS';
const WILDCARD = '*';

export class Symbols {
  readonly #names: ReadonlySet<string>;
  /** The parts between the wildcards of each pattern. */
  readonly #patterns: readonly (readonly string[])[];

  /** @param names symbols in normal form, and patterns of them in which `*` stands for any characters. */
  constructor(names: readonly string[]) {
    const isPattern = (name: string) => name.includes(WILDCARD);
    this.#names = new Set(names.filter((name) => !isPattern(name)));
    this.#patterns = names.filter(isPattern).map((name) => name.split(WILDCARD));
  }

  /** Whether there is such a room, by its name in normal form. A room of no symbol always is. */
  hasRoom(room: string): boolean {
    const symbol = symbolOfRoom(room);
    if (symbol === undefined || this.#names.has(symbol)) return true;
    return this.#patterns.some((parts) => matches(symbol, parts));
  }
}

/** Every symbol that the grammar allows. */
export const EVERY_SYMBOL = new Symbols([WILDCARD]);
const symbolsByList = new Map<string, Symbols>();

/**
 * All objects of an isolate share what was read.
 * @throws {ConfigError} when an item can be no symbol.
 */
export function symbolsOf({ SYMBOLS = '' }: { readonly SYMBOLS?: string }): Symbols {
  if (SYMBOLS === '') return EVERY_SYMBOL;
  const known = symbolsByList.get(SYMBOLS);
  if (known !== undefined) return known;
  const symbols = readSymbols(SYMBOLS);
  symbolsByList.set(SYMBOLS, symbols);
  return symbols;
}

function readSymbols(value: string): Symbols {
  const names = list(value);
  if (names.length === 0) throw new ConfigError(VARIABLE, 'names no symbol');
  for (const name of names) {
    if (isName(name)) continue;
    throw new ConfigError(VARIABLE, `has ${JSON.stringify(name)}, which can be no symbol`);
  }
  return new Symbols(names.map(normalForm));
}

/** Whether a text begins with the first part, ends with the last, and has the others in between. */
function matches(text: string, parts: readonly string[]): boolean {
  const first = parts[0] ?? '';
  const last = parts.at(-1) ?? '';
  const end = text.length - last.length;
  if (end < first.length || !text.startsWith(first) || !text.endsWith(last)) return false;
  let at = first.length;
  for (const part of parts.slice(1, -1)) {
    const found = text.indexOf(part, at);
    if (found === -1 || found + part.length > end) return false;
    at = found + part.length;
  }
  return true;
}
