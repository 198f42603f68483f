/** Every numbered rule of PROTOCOL.md is cited by the name of a test that proves it. */
import { globSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

/** What stands for a rule: a letter and a number, such as `R5`. */
const CITATION = /\b[EIRH]\d{1,2}\b/g;
/** The name of a test or of a group of tests, however it is made. */
const NAME =
  /\b(?:it|test|describe)(?:\.each\((?:[^()]|\([^()]*\))*\))?\(\s*(['"`])((?:(?!\1).)*)\1/gs;

const page = readFileSync('worker/protocol/PROTOCOL.md', 'utf8');
const rules = new Set(Array.from(page.matchAll(/^- \*\*([EIRH]\d+)\./gm), ([, rule = '']) => rule));
const names = globSync('test/**/*.test.ts').flatMap((file) =>
  Array.from(readFileSync(file, 'utf8').matchAll(NAME), ([, , name = '']) => name),
);
const cited = new Set(names.flatMap((name) => name.match(CITATION) ?? []));

test('the page has rules, and the tests have names', () => {
  expect(rules.size).toBeGreaterThan(20);
  expect(names.length).toBeGreaterThan(300);
});

test('every rule is cited by the name of a test', () => {
  expect([...rules].filter((rule) => !cited.has(rule))).toEqual([]);
});

test('no test cites a rule that does not exist', () => {
  expect([...cited].filter((rule) => !rules.has(rule))).toEqual([]);
});
