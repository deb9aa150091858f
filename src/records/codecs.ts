import { ErrorCode, KafkaError } from '../model/errors.ts';

export { tooLarge } from './too-large.ts';

export type MaybePromise<T> = T | Promise<T>;

/**
 * One compression. Both calls may answer at once or later, as the platform can; both throw or reject with a
 * plain `Error` on bytes they cannot read, and with a `retriable` one when they cannot be had now.
 */
export interface Codec {
  /** @param level how much effort, in the codec's own numbers; its usual one unless given. */
  compress(bytes: Uint8Array, level?: number): MaybePromise<Uint8Array>;
  /** Stops with an error, before it takes the memory, once the output would be larger than `maxBytes`. */
  decompress(bytes: Uint8Array, maxBytes: number): MaybePromise<Uint8Array>;
}

/** The number in a batch's attributes. */
export const CODEC = { none: 0, gzip: 1, snappy: 2, lz4: 3, zstd: 4 } as const;
export type CodecName = keyof typeof CODEC;

/** What a home can do, by codec number. `none` is never in it. */
export type Codecs = ReadonlyMap<number, Codec>;

/** What one batch may unpack to on our side. Kafka has no bound here; a 1 MiB batch can hide 1 GiB. */
export const UNPACKED_MAX_BYTES = 64 * 1024 * 1024;

/**
 * Unpacks a record block.
 * @throws {KafkaError} UNSUPPORTED_COMPRESSION_TYPE when this home lacks the codec, CORRUPT_MESSAGE when the
 *   bytes cannot be read or unpack to more than `maxBytes`. Thrown at once, or the promise rejects with it. Likewise
 *   what a codec throws that cannot be had now.
 */
export function decompress(
  codecs: Codecs,
  block: { codec: number; bytes: Uint8Array; maxBytes?: number },
): MaybePromise<Uint8Array> {
  if (block.codec === CODEC.none) return block.bytes;
  const codec = codecOf(codecs, block.codec);
  try {
    const unpacked = codec.decompress(block.bytes, block.maxBytes ?? UNPACKED_MAX_BYTES);
    return unpacked instanceof Promise ? unpacked.catch(unreadable) : unpacked;
  } catch (error) {
    return unreadable(error);
  }
}

/** The codec of that number. @throws {KafkaError} UNSUPPORTED_COMPRESSION_TYPE when this home lacks it. */
export function codecOf(codecs: Codecs, id: number): Codec {
  const codec = codecs.get(id);
  if (codec) return codec;
  throw new KafkaError(ErrorCode.UNSUPPORTED_COMPRESSION_TYPE, `no codec with number ${id} here`);
}

/** Goes on with a value that may be there already: sync stays sync. */
export function andThen<T, U>(value: MaybePromise<T>, use: (value: T) => MaybePromise<U>): MaybePromise<U> {
  return value instanceof Promise ? value.then((arrived) => use(arrived)) : use(value);
}

function unreadable(error: unknown): never {
  // A codec that could not be loaded says nothing of the bytes.
  if (error instanceof Error && 'retriable' in error && error.retriable === true) throw error;
  const why = error instanceof Error ? error.message : String(error);
  throw new KafkaError(ErrorCode.CORRUPT_MESSAGE, `record block cannot be unpacked: ${why}`);
}
