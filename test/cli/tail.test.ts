import { expect, test } from 'vitest';
import { asValue } from '../../src/cli/consume/format.ts';
import { Tail } from '../../src/cli/consume/tail.ts';
import { loadKernels } from '../../src/kernels/load.ts';
import { type BatchRecords, records } from '../../src/records/batch.ts';
import { buildBatch } from '../../src/records/builder.ts';
import type { ConsumerRecord } from '../../src/client/fetch/consumer-record.ts';

const kernels = await loadKernels();

test('a tail keeps lines, each in memory of its own size', () => {
  const values = Array.from({ length: 5_000 }, (_, number) => ({ value: `${number}`, timestamp: number }));
  const batch = records(buildBatch(kernels, { records: values }), kernels, new Map()) as BatchRecords;
  const tail = new Tail(3, asValue);
  for (let at = 0; at < batch.length; at++) tail.add(batch.at(at) as unknown as ConsumerRecord);
  const lines = tail.lines();
  expect(lines.map((line) => new TextDecoder().decode(line))).toEqual(['4997\n', '4998\n', '4999\n']);
  for (const { buffer, length } of lines) expect(buffer.byteLength).toBe(length);
});
