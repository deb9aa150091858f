import type { Kernels } from '../../kernels/kernels.ts';
import { andThen, CODEC, type Codec, type Codecs, type MaybePromise } from '../../records/codecs.ts';
import { gzip } from './gzip.ts';

/**
 * Every codec of Kafka, for Workers and pages, at Kafka's default levels. gzip answers later; the others are loaded
 * when they are first used, and answer at once from then on.
 */
export function webCodecs(kernels: Kernels): Codecs {
  return new Map([
    [CODEC.gzip, gzip],
    [CODEC.snappy, onDemand(async () => (await import('./lz.ts')).snappyOf(kernels))],
    [CODEC.lz4, onDemand(async () => (await import('./lz.ts')).lz4Of(kernels))],
    [CODEC.zstd, onDemand(async () => (await import('./zstd.ts')).zstd())],
  ] satisfies [number, Codec][]);
}

/** What could not be loaded is tried again by the next call. */
function onDemand(load: () => Promise<Codec>): Codec {
  let codec: MaybePromise<Codec> | undefined;
  const loaded = () => {
    codec ??= load().then(
      (ready) => (codec = ready),
      (error) => {
        codec = undefined;
        throw error;
      },
    );
    return codec;
  };
  return {
    compress: (bytes) => andThen(loaded(), (ready) => ready.compress(bytes)),
    decompress: (bytes, maxBytes) => andThen(loaded(), (ready) => ready.decompress(bytes, maxBytes)),
  };
}
