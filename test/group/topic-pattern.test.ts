import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { TopicPattern } from '../../src/group/regex/topic-pattern.ts';

const matches = (pattern: string, name: string) => new TopicPattern(pattern).matches(name);

describe('patterns in RE2’s syntax', () => {
  const cases: [pattern: string, matching: string[], others: string[]][] = [
    ['orders', ['orders'], ['orders2', 'my-orders', '']],
    ['orders-.*', ['orders-', 'orders-eu'], ['orders', 'x-orders-eu']],
    ['a|bc|', ['a', 'bc', ''], ['b', 'abc']],
    ['(?i)Orders', ['ORDERS', 'orders'], ['order']],
    ['(?i:o)rders', ['Orders'], ['OrderS']],
    ['[a-c]+[^0-9_]', ['abc-', 'aa'], ['abc1', 'd', 'a_']],
    ['[[:alpha:]]{2,3}', ['ab', 'abc'], ['a', 'abcd', 'a1']],
    ['[]a]+', [']a'], ['b']],
    ['\\d{4}\\.\\w+', ['2026.x_1'], ['2026-x', '202.x']],
    ['\\Qa.b\\E.?', ['a.b', 'a.bc'], ['axb']],
    ['^a$', ['a'], ['ab']],
    ['\\Aa\\z', ['a'], ['ba']],
    ['a\\b-b', ['a-b'], ['ab']],
    ['(?P<region>eu|us)-(?<kind>.)', ['eu-a'], ['de-a']],
    ['\\pL+\\p{Nd}', ['ab1'], ['1a']],
    ['\\x61\\x{62}', ['ab'], ['aB']],
    ['(a*)*b', ['b', 'aab'], ['a']],
    ['a{0}b', ['b'], ['ab']],
    ['x{,2}', ['x{,2}'], ['xx']],
    ['a??b+?', ['b', 'abb'], ['aab']],
  ];
  test.each(cases)('%s', (pattern, matching, others) => {
    expect(matching.filter((name) => !matches(pattern, name))).toEqual([]);
    expect(others.filter((name) => matches(pattern, name))).toEqual([]);
  });

  const bad = [
    '(',
    ')',
    'a)',
    '[a',
    '*a',
    'a**',
    'a{2}{3}',
    '(?=a)',
    '(?!a)',
    '(?<=a)b',
    '(a)\\1',
    '\\',
    'a{1001}',
    '[b-a]',
    '[[:nope:]]',
    '\\p{Nope}',
    '(?z)a',
    '\\8',
  ];
  test.each(bad)('%s is none', (pattern) => {
    expect(() => new TopicPattern(pattern)).toThrow(expect.objectContaining({ code: 128 }));
  });
});

test('what can be said in both is what the engine’s own patterns say', () => {
  const atom = fc.constantFrom('a', 'b', '.', '[ab]', '[^a]', '\\d', '-', '\\w');
  const pattern = fc.letrec<{ node: string }>((tie) => ({
    node: fc.oneof(
      { maxDepth: 4 },
      atom,
      fc.tuple(tie('node'), tie('node')).map(([a, b]) => a + b),
      fc.tuple(tie('node'), tie('node')).map(([a, b]) => `(${a}|${b})`),
      fc.tuple(tie('node'), fc.constantFrom('*', '+', '?', '{1,2}')).map(([a, times]) => `(?:${a})${times}`),
    ),
  })).node;
  const name = fc.string({ unit: fc.constantFrom('a', 'b', '-', '1'), maxLength: 8 });
  fc.assert(
    fc.property(pattern, name, (source, topic) => {
      expect(matches(source, topic)).toBe(new RegExp(`^(?:${source})$`).test(topic));
    }),
    { numRuns: 1_000 },
  );
});

describe('patterns that want to take long', () => {
  test('match in time that grows with the name alone', () => {
    expect(matches('(a+)+(a+)+(a+)+(a+)+$x', 'a'.repeat(249))).toBe(false);
    expect(matches('(.*)(.*)(.*)(.*)(.*)(.*)y', 'x'.repeat(249))).toBe(false);
  });

  test.each([
    ['((a{100}){100}){100}', 'too many steps'],
    ['(((){1000}){1000}){1000}', 'nothing, over and over'],
    ['('.repeat(1_000) + ')'.repeat(1_000), 'too deep'],
  ])('%.24s is refused: %s', (pattern) => {
    expect(() => new TopicPattern(pattern)).toThrow(expect.objectContaining({ code: 128 }));
  });
});
