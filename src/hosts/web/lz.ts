/** What is loaded for the first batch in Snappy or LZ4. */
import type { Kernels } from '../../kernels/kernels.ts';
import { lzOf } from '../../kernels/lz.ts';
import type { Codec } from '../../records/codecs.ts';
import { lz4 } from '../../records/lz4.ts';
import { snappy } from '../../records/snappy.ts';

export function lz4Of(kernels: Kernels): Codec {
  return lz4(lzOf(kernels));
}

export function snappyOf(kernels: Kernels): Codec {
  return snappy(lzOf(kernels));
}
