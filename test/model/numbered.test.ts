import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Numbered } from '../../src/model/numbered.ts';

test('is a Map, whatever stays long and however many places later numbers need', () => {
  const kind = fc.constantFrom('next', 'next', 'next', 'set', 'delete', 'delete');
  const step = fc.record({ kind, back: fc.nat(1_500) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 100 }), (steps) => {
      const numbered = new Numbered<object>();
      const map = new Map<number, object>();
      const answers: boolean[] = [];
      let last = 0;
      const set = (number: number, value: object) => {
        numbered.set(number, value);
        map.set(number, value);
      };
      for (const given of steps) {
        const number = Math.max(0, last - given.back);
        if (given.kind === 'delete') answers.push(numbered.delete(number) === map.delete(number));
        if (given.kind === 'set') set(number, {});
        if (given.kind === 'next') for (let more = given.back; more > 0; more--) set(++last, {});
      }
      expect(answers).not.toContain(false);
      for (let number = 0; number <= last + 1; number++) expect(numbered.get(number)).toBe(map.get(number));
    }),
    { numRuns: 50 },
  );
});
