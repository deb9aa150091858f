import { BY_KEY_MAX_BYTES, onlyOf } from '../../src/gateway/access/by-key.ts';
import { nodeCodecs } from '../../src/hosts/node/codecs.ts';
import { loadKernels } from '../../src/kernels/load.ts';
import { buildBatch, recompress } from '../../src/records/builder.ts';
import { CODEC } from '../../src/records/codecs.ts';
import { interleave, median, ratio, report } from './harness.ts';

const RECORDS = 100;
const VALUE_BYTES = 1_000;
const OWNERS = 10;

/**
 * What it takes to pick one's own records out of a topic of ten, for one answer: it is the most that is looked through
 * for one. The peer is looking at the checksum of the same batches.
 */
export async function run(): Promise<void> {
  const kernels = await loadKernels();
  const tools = { kernels, codecs: nodeCodecs(kernels) };
  const value = new Uint8Array(VALUE_BYTES).map((_, at) => (at * 7) % 251);
  const key = (at: number) => new TextEncoder().encode(`owner-${at % OWNERS}/${at}`);
  const records = Array.from({ length: RECORDS }, (_, at) => ({ timestamp: at, key: key(at), value }));
  const prefixes = [new TextEncoder().encode('owner-3/')];
  for (const codec of ['none', 'lz4', 'zstd'] as const) {
    const batch = await recompress(tools, buildBatch(kernels, { records }), CODEC[codec]);
    const count = Math.max(1, Math.floor(BY_KEY_MAX_BYTES / batch.length));
    const bytes = new Uint8Array(Buffer.concat(Array.from({ length: count }, () => batch)));
    const timings = await interleave({
      picked: () => onlyOf(tools, bytes, prefixes),
      whole: () => kernels.crc32c(bytes),
    });
    const bench = `key prefix, a tenth of ${count} batches of ${RECORDS} records of 1 KB, ${codec}`;
    const seconds = median(timings.picked);
    report({ bench: `${bench}: an answer`, value: seconds * 1e3, unit: 'ms' });
    report({
      bench: `${bench}: records`,
      value: (count * RECORDS) / seconds / 1e3,
      unit: 'thousand/s',
      peer: 'a checksum over them',
      ratio: ratio(timings, 'picked', 'whole'),
    });
  }
}
