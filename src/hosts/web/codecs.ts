import type { Kernels } from '../../kernels/kernels.ts';
import { CODEC } from '../../records/codecs.ts';
import type { Codec, Codecs } from '../../records/codecs.ts';
import { lz4 } from '../../records/lz4.ts';
import { snappy } from '../../records/snappy.ts';
import { gzip } from './gzip.ts';
import { zstd } from './zstd.ts';

/** Every codec of Kafka, for Workers and pages, at Kafka's default levels. gzip answers later, zstd the first time. */
export function webCodecs(kernels: Kernels): Codecs {
  return new Map([
    [CODEC.gzip, gzip],
    [CODEC.snappy, snappy(kernels)],
    [CODEC.lz4, lz4(kernels)],
    [CODEC.zstd, zstd()],
  ] satisfies [number, Codec][]);
}
