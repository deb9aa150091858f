import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { LogConfig } from '../../src/log/config.ts';
import { LookupTime } from '../../src/log/lookup.ts';
import { errorInfo } from '../../src/model/errors.ts';
import { recompress } from '../../src/records/builder.ts';
import { BatchHeader, HEADER_SIZE } from '../../src/records/header.ts';
import { append, codecs, kernels, NOW, openLog, openRig, sequenced } from './fixtures.ts';
import type { Rig } from './fixtures.ts';

/** A batch after someone played with it and, perhaps, sealed it again, so that the CRC hides nothing. */
const played = fc
  .record({
    codec: fc.nat(4),
    count: fc.integer({ min: 1, max: 20 }),
    changes: fc.array(fc.tuple(fc.nat(400), fc.nat(255)), { maxLength: 8 }),
    cut: fc.option(fc.nat(400)),
    sealed: fc.boolean(),
  })
  .map(({ codec, count, changes, cut, sealed }) => {
    const packed = recompress({ kernels, codecs }, sequenced(0, { count }), codec) as Uint8Array;
    const bytes = new Uint8Array(packed).slice(0, cut ?? undefined);
    for (const [at, value] of changes) if (at < bytes.length && at !== 16) bytes[at] = value;
    if (sealed && bytes.length >= HEADER_SIZE) new BatchHeader(bytes).seal(kernels, bytes.length);
    return bytes;
  });

const settings = fc.record<Partial<LogConfig>>({
  cleanupPolicy: fc.constantFrom(['delete'], ['compact']),
  timestampType: fc.constantFrom('CreateTime', 'LogAppendTime'),
  timestampBeforeMaxMs: fc.constantFrom(Infinity, 1000),
  compressionType: fc.constantFrom('producer', 'uncompressed', 'lz4'),
});

async function produce(rig: Rig, bytes: Uint8Array) {
  const prepared = rig.log.needsPrepare ? await rig.log.prepare(bytes) : bytes;
  return prepared instanceof Uint8Array ? append(rig, prepared) : prepared;
}

/** No id that a few changed bytes make. */
const UNTOUCHED = 0x1_1234_5678_9abc;

describe('whatever a client sends', () => {
  test('is appended, known again or refused with a code of Kafka, and the log goes on', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(played, { maxLength: 8 }), settings, async (sent, config) => {
        const rig = await openRig(config);
        for (const bytes of sent) {
          const before = rig.log.logEndOffset;
          const result = await produce(rig, bytes);
          const known =
            result.type === 'refused' ? errorInfo(result.errorCode).code > 0 : result.lastOffset >= 0;
          expect(known).toBe(true);
          const isWritten = result.type === 'appended';
          expect(rig.log.logEndOffset > before).toBe(isWritten);
        }
        const end = rig.log.logEndOffset;
        expect(await produce(rig, sequenced(0, { producerId: UNTOUCHED }))).toMatchObject({
          baseOffset: end,
        });
        for (const target of [0, NOW, LookupTime.maxTimestamp]) {
          const { offset } = await rig.log.offsetForTimestamp(target, end + 1);
          expect(offset >= -1 && offset <= end).toBe(true);
        }
        expect((await openLog(rig.store, rig.config)).producers.all()).toEqual(rig.log.producers.all());
      }),
      { numRuns: 300 },
    );
  });
});
