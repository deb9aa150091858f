import type { Kernels } from '../../kernels/kernels.ts';
import { lzOf } from '../../kernels/lz.ts';
import { CODEC, type Codecs } from '../../records/codecs.ts';
import { lz4 } from '../../records/lz4.ts';
import { snappy } from '../../records/snappy.ts';

/** The codecs that are sync everywhere. */
export function simCodecs(kernels: Kernels): Codecs {
  return new Map([
    [CODEC.snappy, snappy(lzOf(kernels))],
    [CODEC.lz4, lz4(lzOf(kernels))],
  ]);
}
