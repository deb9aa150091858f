import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Deadlines } from '../../src/group/deadlines.ts';

/** The obvious twin: a map that is searched. */
class Twin {
  readonly at = new Map<number, number>();

  get nextMs(): number {
    return Math.min(Infinity, ...this.at.values());
  }

  takeAll(nowMs: number): number[] {
    const due = [...this.at].filter(([, atMs]) => atMs <= nowMs).map(([index]) => index);
    for (const index of due) this.at.delete(index);
    return due.toSorted((a, b) => a - b);
  }
}

function takeAll(deadlines: Deadlines<number>, nowMs: number): number[] {
  const due: number[] = [];
  for (let each = deadlines.due(nowMs); each !== undefined; each = deadlines.due(nowMs)) due.push(each);
  return due.toSorted((a, b) => a - b);
}

test('the heap and a searched map agree on what is due and when', () => {
  const op = fc.tuple(fc.constantFrom('set', 'set', 'set', 'clear', 'pass'), fc.nat(200), fc.nat(1_000));
  fc.assert(
    fc.property(fc.array(op, { maxLength: 600, size: 'max' }), (ops) => {
      const deadlines = new Deadlines<number>();
      const all = Array.from({ length: 201 }, (_, index) => deadlines.create(index));
      const twin = new Twin();
      let nowMs = 0;
      for (const [name, index, ms] of ops) {
        const deadline = all[index] ?? deadlines.create(index);
        let due: number[] = [];
        let expected: number[] = [];
        if (name === 'set') {
          deadlines.set(deadline, nowMs + ms);
          twin.at.set(index, nowMs + ms);
        } else if (name === 'clear') {
          deadlines.clear(deadline);
          twin.at.delete(index);
        } else {
          nowMs += ms;
          due = takeAll(deadlines, nowMs);
          expected = twin.takeAll(nowMs);
        }
        expect(due).toEqual(expected);
        expect(deadlines.nextMs).toBe(twin.nextMs);
      }
    }),
    { numRuns: 60 },
  );
});
