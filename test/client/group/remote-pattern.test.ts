import { expect, test } from 'vitest';
import { remotePatternOf } from '../../../src/client/group/remote-pattern.ts';
import { TopicPattern } from '../../../src/group/regex/topic-pattern.ts';
import { SeededRandom } from '../../support/random.ts';

const NAME_CHARS = ['a', 'b', 'A', 'B', '0', '9', '.', '-', '_'];

/** Names made of few characters, so that many match. */
function names(count: number): string[] {
  const random = new SeededRandom(848);
  return Array.from({ length: count }, () =>
    Array.from({ length: random.integer(1, 6) }, () => random.pick(NAME_CHARS)).join(''),
  );
}

const SHARED = [
  /^a/,
  /b$/,
  /^a.*b$/,
  /^a|^b/,
  /^ab?[^.]+/i,
  /^(?:a|b){2,3}\.?/g,
  /a{2,}/,
  /\bA\b/,
  /^[\w.-]+\d$/,
  /^[a-b]+$/y,
  /\./,
  new RegExp(String.raw`^a\-b`),
  /B/i,
  /^[^a_][a-]*$/u,
  /^(a(b)*)+$/,
];

/** As a consumer takes it that resolves it itself. */
const plain = ({ source, flags }: RegExp) => new RegExp(source, flags.replaceAll(/[gy]/g, ''));

test.each(SHARED)('%s means the same to a broker', (pattern) => {
  const theirs = new TopicPattern(remotePatternOf(pattern) ?? 'none');
  const ours = plain(pattern);
  for (const name of names(2_000)) expect([name, theirs.matches(name)]).toEqual([name, ours.test(name)]);
});

test.each([
  ['looks ahead', /^a(?!b)/],
  ['looks behind', /(?<=a)b/],
  ['refers back', /(a)\1/],
  ['has names', /(?<x>a)/],
  ['has escapes of its own', /\u0061/],
  ['has a class in a class', /[[:alpha:]]/],
  ['has an empty class', new RegExp('[]|a')],
  ['has sets', new RegExp('[a--b]', 'v')],
  ['would be given topics of Kafka’s own', /.*/],
  ['would be given some of them', /_/],
])('one that %s is resolved here', (_, pattern) => {
  expect(remotePatternOf(pattern)).toBeUndefined();
});
