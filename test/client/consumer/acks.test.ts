import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Acks } from '../../../src/client/consumer/acks.ts';

describe('what may be committed', () => {
  test('all before the first that is not acked, in whatever order that happens', () => {
    const steps = fc.array(
      fc.oneof(
        fc.record({ kind: fc.constant('handOut' as const), gap: fc.nat(3) }),
        fc.record({ kind: fc.constant('ack' as const), at: fc.nat(30) }),
        fc.record({ kind: fc.constant('skip' as const), gap: fc.nat(3) }),
      ),
      { maxLength: 200 },
    );
    fc.assert(
      fc.property(steps, (all) => {
        const acks = new Acks();
        const open = new Set<number>();
        let next = 0;
        let isBegun = false;
        for (const step of all) {
          if (step.kind === 'handOut') {
            acks.handOut((next += step.gap));
            open.add(next++);
            isBegun = true;
          } else if (step.kind === 'skip') {
            acks.skipTo((next += step.gap));
            isBegun = true;
          } else {
            // What was never handed out, or is acked already, changes nothing.
            const offset = [...open][step.at] ?? -1;
            acks.ack(offset);
            acks.ack(offset);
            open.delete(offset);
          }
          expect(acks.position).toBe(isBegun ? Math.min(next, ...open) : undefined);
          expect(acks.next).toBe(isBegun ? next : undefined);
        }
      }),
    );
  });

  test('many, from the last to the first, and many in order', () => {
    const acks = new Acks();
    const count = 5_000;
    for (let offset = 0; offset < 2 * count; offset++) acks.handOut(offset);
    for (let offset = count - 1; offset > 0; offset--) acks.ack(offset);
    expect(acks.position).toBe(0);
    acks.ack(0);
    expect(acks.position).toBe(count);
    for (let offset = count; offset < 2 * count; offset++) {
      acks.ack(offset);
      expect(acks.position).toBe(offset + 1);
    }
  });
});
