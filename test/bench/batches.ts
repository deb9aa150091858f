import { loadKernels } from '../../src/kernels/load.ts';
import type { Kernels } from '../../src/kernels/kernels.ts';
import { type NewRecord, buildBatch } from '../../src/records/builder.ts';
import { produceApi } from '../../src/wire/apis/00-produce.ts';
import { encodeRequest } from '../../src/wire/frame.ts';

export const BENCH_TOPIC = 'bench';
export const RECORDS_PER_BATCH = 63;
const RECORD_BYTES = 1024;
/** What a record has beside its value. */
const OVERHEAD_BYTES = 12;

/** A Produce request each time it is called. */
export type Source = () => Uint8Array;

/** Requests of one 64 KB batch of 1 KB records, made as a producer makes them: new records, a new checksum. */
export async function freshBatches(): Promise<Source> {
  const kernels = await loadKernels();
  const values = Array.from(
    { length: RECORDS_PER_BATCH },
    () => new Uint8Array(RECORD_BYTES - OVERHEAD_BYTES),
  );
  let made = 0;
  return () => {
    const timestamp = Date.now();
    const records = values.map((value) => {
      new DataView(value.buffer).setFloat64(0, made++);
      return { value, timestamp };
    });
    return request(kernels, records, made);
  };
}

/** The same request again and again: nothing for the driver to do. */
export async function oneBatch(): Promise<Source> {
  const made = (await freshBatches())();
  return () => made;
}

function request(kernels: Kernels, records: readonly NewRecord[], correlationId: number): Uint8Array {
  const partitionData = [{ index: 0, records: buildBatch(kernels, { records }) }];
  const topicData = [{ name: BENCH_TOPIC, partitionData }];
  const header = { correlationId, clientId: 'bench' };
  return encodeRequest(produceApi, 7, header, { acks: -1, timeoutMs: 60_000, topicData });
}
