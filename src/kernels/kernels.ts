/** What a kernel call says about a batch: 0 when it is whole and true, else why not. Numbers are the WASM ones. */
export const BatchFault = {
  none: 0,
  /** Fewer bytes than a header, or than `batchLength` announces, or a length below the header's. */
  truncated: -1,
  /** Bytes after the batch: a produce request carries exactly one. */
  trailing: -2,
  /** Not magic 2. */
  magic: -3,
  crc: -4,
  /** recordsCount negative, or (uncompressed) not what the records say, or lastOffsetDelta + 1 differs from it. */
  count: -5,
  /** A record runs over its bounds, or a field of it does. */
  record: -6,
} as const;
export type BatchFault = (typeof BatchFault)[keyof typeof BatchFault];

/** Why compressed bytes were not unpacked; they themselves when they were. */
export const PackFault = {
  /** Not the format, cut, or announcing what does not come. */
  corrupt: -1,
  /** The output would be larger than it may. */
  tooLarge: -2,
  /** A checksum in the bytes is not that of what it covers. */
  checksum: -3,
} as const;
export type PackFault = (typeof PackFault)[keyof typeof PackFault];

/**
 * Eight int32 a record, in a buffer of their own: where its parts are, in bytes from the start of the indexed bytes.
 * Lengths -1 mean null.
 */
export const ROW = {
  size: 8,
  offsetDelta: 0,
  /** Position of the varint that counts the headers. */
  headersPosition: 1,
  /** A float64 in the place of two int32, the nearest to what the record says: exact up to 2^53. */
  timestampDelta: 2,
  keyPosition: 4,
  keyLength: 5,
  valuePosition: 6,
  valueLength: 7,
} as const;

export interface BatchHeaderFields {
  baseOffset: number;
  partitionLeaderEpoch: number;
  attributes: number;
  baseTimestamp: number;
  maxTimestamp: number;
  producerId: number;
  producerEpoch: number;
  baseSequence: number;
}

/** A record to encode: `src/records/builder.ts` makes them. Texts become UTF-8; a lone surrogate becomes U+FFFD. */
export interface EncodeRecord<Field extends Uint8Array | string = Uint8Array | string> {
  timestampDelta: number;
  offsetDelta: number;
  key: Field | null;
  value: Field | null;
  headers: readonly { key: Field; value: Field | null }[];
}

/** What `bytes` hold, one batch behind the other. */
export interface ValidBatches {
  /** Where the good ones end. */
  end: number;
  /** What is wrong with the next one; `none` when `end` is that of the bytes. */
  fault: BatchFault;
}

/**
 * The hot path over whole batches: one call a batch, since crossing into WASM costs 2-4 ns but making a record's
 * objects 200. Two implementations give equal results on every input: WASM, and its TypeScript twin (the oracle, and
 * what engines without SIMD run). No input makes a kernel trap, allocate or loop for ever.
 */
export interface Kernels {
  /** CRC-32C (Castagnoli, RFC 3720 B.4) of `bytes`, unsigned. */
  crc32c(bytes: Uint8Array): number;
  /**
   * Checks that `bytes` is exactly one v2 batch: lengths, magic, CRC, count against lastOffsetDelta, and, when not
   * compressed, every record's bounds. Says nothing about attributes, timestamps or producer fields.
   */
  validateBatch(bytes: Uint8Array): BatchFault;
  /**
   * Checks batch after batch, each as {@link validateBatch} does: what a fetch brings, or a log holds. At the end of
   * `bytes` the last one may be cut.
   */
  validateBatches(bytes: Uint8Array): ValidBatches;
  /**
   * {@link validateBatch} and {@link indexRecords} in one pass, for a consumer. @returns the rows, or the fault; or
   * `none` when the batch is good and compressed.
   */
  indexBatch(bytes: Uint8Array): Int32Array | BatchFault;
  /**
   * Rows (see {@link ROW}) of `count` uncompressed records that fill `records` (the bytes after a batch header, or
   * what they decompress to). @returns the rows, or the fault.
   */
  indexRecords(records: Uint8Array, count: number): Int32Array | BatchFault;
  /** The uncompressed record block of a batch, without header: what a codec compresses. */
  encodeRecords(records: readonly EncodeRecord[]): Uint8Array;
  /** A whole uncompressed batch, sealed (length and CRC set). */
  encodeBatch(header: BatchHeaderFields, records: readonly EncodeRecord[]): Uint8Array;
}

/** LZ4 and Snappy, as codecs want them: two implementations likewise. See `lzOf`. */
export interface LzKernels {
  /**
   * One LZ4 frame as Java's client writes it: independent blocks of 64 KiB, no checksums but the header's. One greedy
   * pass, whatever the level: see `src/records/lz4.ts`.
   */
  packLz4(bytes: Uint8Array): Uint8Array;
  /**
   * Any number of LZ4 frames, and skippable ones: blocks of all sizes, independent or linked; content size and all
   * checksums are held against what comes. A header's checksum may be the one that Kafka's clients took by mistake
   * until 0.10 (KAFKA-3160).
   */
  unpackLz4(bytes: Uint8Array, maxBytes: number): Uint8Array | PackFault;
  /**
   * Writes the Snappy elements for `bytes` at `at` of `out`, which has room for `bytes`, a sixth more, and 64. The
   * length that a raw block begins with is the caller's. @returns where they end.
   */
  packSnappy(bytes: Uint8Array, out: Uint8Array, at: number): number;
  /** Unpacks Snappy elements. @returns whether they fill `out`, no more and no less; if not, it holds anything. */
  unpackSnappy(elements: Uint8Array, out: Uint8Array): boolean;
}
