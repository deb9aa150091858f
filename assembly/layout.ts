/**
 * The memory map. Kernels own what lies below the heap base and never allocate; TypeScript (`src/kernels/wasm.ts`)
 * owns what lies above, grows it when a call needs more (to 9 MiB at most), and passes each area by pointer.
 *
 *  0      992     1024         17408     21504    21776         21824     30784     63552 = heap base
 *  ┌──────┬───────┬────────────┬─────────┬────────┬─────────────┬─────────┬─────────┬───── 320 KiB .. 9 MiB ─────┐
 *  │ free │ masks │ CRC tables │ nibbles │ repeat │ scratch row │ folding │ matches │ areas of the running call  │
 *  └──────┴───────┴────────────┴─────────┴────────┴─────────────┴─────────┴─────────┴────────────────────────────┘
 *          written once ────────────────────────── ▲ ▲ written by each call ───────
 *
 *  Folding (crc-folding.ts), in rounds of 8 KiB:
 *
 *  21824                22128                 30320          30480       30784
 *  ┌────────────────────┬─────────────────────┬──────────────┬───────────┐
 *  │ window: taken last │ taken in this round │ zeros beyond │ remainder │
 *  └────────────────────┴─────────────────────┴──────────────┴───────────┘
 *
 *  The areas, from 16 bytes behind the heap base (nothing in them outlives its call):
 *                                                          ┌──────────────────────────────────────┐
 *  crc32c                                                  │ bytes, 32 KiB at most: longer ones   │
 *                                                          │ come in pieces                       │
 *                                                          ├──────────────────────────────────────┤
 *  validateBatch, validateBatches                          │ one batch, or batches        │ slack │
 *                                                          ├───────────┬─────┬────────────┴───────┤
 *  indexRecords, indexBatch                                │ bytes     │ pad │ rows, 32 B each │ s│
 *                                                          ├───────────┴─┬───┴───┬─────┬──────┬───┤
 *  encodeRecords, encodeBatch                              │ descriptors │ arena │slack│ out  │ s │
 *                                                          ├────────────┬┴────┬──┴─────┴──────┼───┤
 *  packLz4Blocks, packSnappy                               │ bytes      │slack│ out           │ s │
 *                                                          ├────────────┼─────┼─────────┬─────┼───┤
 *  unpackLz4Block                                          │ block      │slack│ history │ out │ s │
 *                                                          ├────────────┼─────┼─────────┴─────┼───┤
 *  unpackSnappy                                            │ elements   │slack│ out           │ s │
 *                                                          ├────────────┴─────┴───────────────┴───┤
 *  xxh32...                                                │ bytes                                │
 *                                                          └──────────────────────────────────────┘
 *
 * `memoryBase` in asconfig.json is the heap base: addresses below it are compile-time constants, so that they become
 * immediate offsets of loads.
 */
/** 16 bytes of 0, then 16 of 255: at 16 - n is the mask of a block without its first n bytes. */
export const PAD_MASKS: usize = 992;

/** Slicing: 16 tables, of a word for each byte. */
export const CRC_TABLES: usize = 1024;
export const CRC_TABLE_SIZE: usize = 1024;
export const CRC_TABLE_COUNT: u32 = 16;

/** What the nibbles of a block add to a CRC, for 1 to 31 blocks behind it: see crc-nibbles.ts. */
export const NIBBLE_TABLES: usize = 17408;
export const NIBBLE_TABLE_SIZE: usize = 128;
export const NIBBLE_TABLE_COUNT: usize = 31;
/** 16 bytes of 15: a constant that an engine would make anew for each block is loaded once. */
export const LOW_NIBBLES: usize = NIBBLE_TABLES + NIBBLE_TABLE_COUNT * NIBBLE_TABLE_SIZE;

/** For each distance below 16 the pattern that repeats so many bytes over a block of 16; then how far one goes. */
export const REPEAT_PATTERNS: usize = 21504;
export const REPEAT_STEPS: usize = REPEAT_PATTERNS + 256;

/** Where a walk that keeps no rows puts the one it is at. */
export const SCRATCH_ROW: usize = 21776;

/** Bytes that folding takes away, 8 KiB a round; before them the last of the round before, as far as it looks back. */
export const FOLD: usize = 21824;
/** The longest distance, 290, in whole blocks of 16. */
export const FOLD_WINDOW_SIZE: usize = 304;
export const FOLD_ROUND_SIZE: usize = 8192;
/** The remainder's last byte, the 304th, looks 154 back, so 150 beyond all that was taken; in blocks of 16. */
export const FOLD_BEYOND: usize = 160;
export const FOLD_REMAINDER: usize = FOLD + FOLD_WINDOW_SIZE + FOLD_ROUND_SIZE + FOLD_BEYOND;
export const FOLD_REMAINDER_SIZE: usize = FOLD_WINDOW_SIZE;

/** Where in a block of at most 64 KiB each hash of 4 bytes was seen last: 2^14 places of 16 bits at most. */
export const MATCHES: usize = 30784;

/** A row: eight i32, two of which are one f64, see `ROW` in src/kernels/kernels.ts. Byte positions in it. */
export const ROW_SIZE: usize = 32;
export const ROW_OFFSET_DELTA: usize = 0;
export const ROW_HEADERS_POSITION: usize = 4;
export const ROW_TIMESTAMP_DELTA: usize = 8;
export const ROW_KEY_POSITION: usize = 16;
export const ROW_KEY_LENGTH: usize = 20;
export const ROW_VALUE_POSITION: usize = 24;
export const ROW_VALUE_LENGTH: usize = 28;

/** Bytes that must lie after an area: copies move 16 at a time, and a walk over records reads up to 9 ahead. */
export const SLACK: i32 = 16;

/** RecordBatch v2 header: byte positions. Layout: Kafka protocol guide, "Record Batch". */
export const HEADER_SIZE: i32 = 61;
export const LENGTH_OVERHEAD: i32 = 12;
export const BATCH_LENGTH: usize = 8;
export const MAGIC: usize = 16;
export const CRC: usize = 17;
export const ATTRIBUTES: usize = 21;
export const LAST_OFFSET_DELTA: usize = 23;
export const RECORDS_COUNT: usize = 57;
export const CODEC_MASK: i32 = 0x07;

/** What is wrong with a batch: `BatchFault` in src/kernels/kernels.ts. */
export const FAULT_NONE: i32 = 0;
export const FAULT_TRUNCATED: i32 = -1;
export const FAULT_TRAILING: i32 = -2;
export const FAULT_MAGIC: i32 = -3;
export const FAULT_CRC: i32 = -4;
export const FAULT_COUNT: i32 = -5;
export const FAULT_RECORD: i32 = -6;
