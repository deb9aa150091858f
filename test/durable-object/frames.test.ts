import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeFrame, encodeFrame, type ReplyFrame } from '../../src/hosts/durable-object/frames.ts';

/** What bodies of requests are made of. */
const { body } = fc.letrec((tie) => ({
  body: fc.oneof(
    { depthSize: 'small' },
    fc.string({ unit: 'binary' }),
    fc.maxSafeInteger(),
    fc.boolean(),
    fc.constant(null),
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
    fc.uint8Array({ maxLength: 300 }),
    fc.array(tie('body')),
    fc.dictionary(
      fc.string({ minLength: 1 }).filter((name) => !name.startsWith('$') && !name.startsWith('__')),
      tie('body'),
    ),
  ),
}));

test('what goes over a link arrives as it was, bytes and large integers too', () => {
  fc.assert(
    fc.property(body, fc.nat(), (value, correlationId) => {
      const frame: ReplyFrame = { type: 'reply', correlationId, body: value, parked: true };
      const bytes = encodeFrame(frame);
      const shifted = new Uint8Array(bytes.length + 3);
      shifted.set(bytes, 3);
      expect(decodeFrame(shifted.subarray(3))).toEqual(toPlain(frame));
    }),
  );
});

/** Without the prototypes that fast-check leaves out. */
function toPlain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(toPlain);
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, toPlain(each)]));
}

test('byte fields are not copied on the way in', () => {
  const bytes = encodeFrame({ type: 'reply', correlationId: 1, body: { records: new Uint8Array(10) } });
  const { body: read } = decodeFrame<ReplyFrame>(bytes);
  expect((read as { records: Uint8Array }).records.buffer).toBe(bytes.buffer);
});
