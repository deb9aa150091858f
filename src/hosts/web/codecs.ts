import { onDemand } from '../../client/on-demand.ts';
import type { Kernels } from '../../kernels/kernels.ts';
import { andThen, CODEC, type Codec, type Codecs } from '../../records/codecs.ts';
import { gzip } from './gzip.ts';

/**
 * Every codec of Kafka, for Workers and pages, at Kafka's default levels. gzip answers later; the others are loaded
 * when they are first used, and answer at once from then on.
 */
export function webCodecs(kernels: Kernels): Codecs {
  return new Map([
    [CODEC.gzip, gzip],
    [CODEC.snappy, late('Snappy', async () => (await import('./lz.ts')).snappyOf(kernels))],
    [CODEC.lz4, late('LZ4', async () => (await import('./lz.ts')).lz4Of(kernels))],
    [CODEC.zstd, late('zstd', async () => (await import('./zstd.ts')).zstd())],
  ] satisfies [number, Codec][]);
}

function late(name: string, load: () => Promise<Codec>): Codec {
  const codec = onDemand(name, load);
  return {
    compress: (bytes) => andThen(codec(), (ready) => ready.compress(bytes)),
    decompress: (bytes, maxBytes) => andThen(codec(), (ready) => ready.decompress(bytes, maxBytes)),
  };
}
