import { Reader, readRecordsBatch } from '@platformatic/kafka';
import type { BatchFault, Kernels } from '../../src/kernels/kernels.ts';
import { TwinKernels } from '../../src/kernels/twin.ts';
import { indexBatch } from '../../src/kernels/twins/batch.ts';
import { BatchRecords, checkedRecords } from '../../src/records/batch.ts';
import { slicing16 } from './slicing-16.ts';

/** A consumer that looks at the checksum, and at offset, time and length of each record; at no payload. */
export function decodeWith(kernels: Kernels, batch: Uint8Array): number {
  const read = checkedRecords(batch, kernels, new Map());
  if (!(read instanceof BatchRecords)) throw new Error('not sync');
  const cursor = read.cursor();
  let sum = 0;
  while (cursor.next()) sum += cursor.offset + cursor.timestamp + cursor.valueLength;
  return sum;
}

/** The twin with the quickest checksum in JavaScript. */
class Slicing16Kernels extends TwinKernels {
  override indexBatch(bytes: Uint8Array): Int32Array | BatchFault {
    return indexBatch(bytes, slicing16);
  }
}

/** The same work elsewhere. @platformatic/kafka looks at no checksum. */
export function decoders(batch: Uint8Array): Record<string, () => unknown> {
  const typescript = new Slicing16Kernels();
  const buffer = Buffer.from(batch);
  return {
    '@platformatic/kafka': () => {
      const { firstOffset, firstTimestamp, records: list } = readRecordsBatch(Reader.from(buffer));
      let sum = 0;
      for (const { offsetDelta, timestampDelta, value } of list)
        sum += Number(firstOffset) + offsetDelta + Number(firstTimestamp + timestampDelta) + value!.length;
      return sum;
    },
    'twin with slicing by 16': () => decodeWith(typescript, batch),
  };
}
