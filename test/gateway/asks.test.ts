import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Asks } from '../../src/gateway/asks.ts';

const ask = fc.nat(3);
const steps = fc.array(
  fc.oneof(
    fc.record({ type: fc.constant('add' as const), ask }),
    fc.record({ type: fc.constant('delete' as const), ask }),
  ),
  { size: 'large' },
);

test('what was asked and not deleted is drained, each with its shard, and then nothing', () => {
  fc.assert(
    fc.property(steps, (taken) => {
      const asks = new Asks();
      const expected = new Map<number, string>();
      for (const { type, ask } of taken) {
        if (type === 'add') {
          asks.add(ask, `d${ask}`);
          expected.set(ask, `d${ask}`);
        } else {
          asks.delete(ask);
          expected.delete(ask);
        }
      }
      const drained = new Map<number, string>();
      asks.drain((number, shard) => drained.set(number, shard));
      expect(drained).toEqual(expected);
      asks.drain(() => expect.unreachable('drained twice'));
    }),
  );
});
