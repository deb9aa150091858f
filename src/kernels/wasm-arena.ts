import { HEADER_SIZE, highHalf } from './batch-layout.ts';
import type { EncodeRecord } from './kernels.ts';
import type { WasmMemory } from './wasm-memory.ts';

/** int32 words a record and a header take in the descriptors: the layout is described in assembly/encode.ts. */
const RECORD_WORDS = 6;
const HEADER_WORDS = 2;
/** Most that a record adds to its payload: seven varints, one of them 10 bytes, and the attributes. */
const RECORD_OVERHEAD_MAX = 36;
/** Most that a header adds to its payload: two varints. */
const HEADER_OVERHEAD_MAX = 10;
/** Bytes of UTF-8 that one of a string's UTF-16 units may need. */
const UTF8_BYTES_MAX = 3;
/** Longer texts are encoded each on its own: joining copies them once more. */
const JOINED_MAX_CHARS = 256;
/** Bytes, or characters, that a loop moves faster than a call does. */
const SHORT_MAX = 24;
/** Kernels copy 16 bytes at a time, so an area they copy from or to has this much after it. */
const SLACK = 16;
const utf8 = new TextEncoder();

/** Where the areas of one encode call begin and end, in the kernels' memory. */
export interface EncodeAreas {
  descriptors: number;
  descriptorsEnd: number;
  arena: number;
  arenaEnd: number;
  out: number;
  outEnd: number;
}

/**
 * Lays `records` out as descriptors and arena. Texts are taken for ASCII, a byte a character, until one is not.
 * @returns undefined when they do not fit the kernels' memory.
 */
export function layOut(memory: WasmMemory, records: readonly EncodeRecord[]): EncodeAreas | undefined {
  for (const bytesPerChar of [1, UTF8_BYTES_MAX]) {
    const areas = areasFor(memory, records, bytesPerChar);
    if (!areas) return undefined;
    if (new Filler(memory, areas, bytesPerChar === 1).fill(records)) return areas;
  }
  return undefined;
}

function areasFor(
  memory: WasmMemory,
  records: readonly EncodeRecord[],
  bytesPerChar: number,
): EncodeAreas | undefined {
  let bytes = 0;
  let chars = 0;
  let headerCount = 0;
  const add = (field: Uint8Array | string | null): void => {
    if (typeof field === 'string') chars += field.length;
    else if (field !== null) bytes += field.length;
  };
  for (const { key, value, headers } of records) {
    add(key);
    add(value);
    headerCount += headers.length;
    for (const header of headers) {
      add(header.key);
      add(header.value);
    }
  }
  const payload = bytes + bytesPerChar * chars;
  const descriptors = memory.base;
  const descriptorsEnd = descriptors + 4 * (RECORD_WORDS * records.length + HEADER_WORDS * headerCount);
  const arena = descriptorsEnd;
  const arenaEnd = arena + payload;
  const out = arenaEnd + SLACK;
  const overhead = RECORD_OVERHEAD_MAX * records.length + HEADER_OVERHEAD_MAX * headerCount;
  const outEnd = out + HEADER_SIZE + payload + overhead;
  if (!memory.reserve(outEnd + SLACK - memory.base)) return undefined;
  return { descriptors, descriptorsEnd, arena, arenaEnd, out, outEnd };
}

/**
 * Writes descriptors and arena. A call that encodes a text costs more than a short text itself, so those that follow
 * one another are joined and encoded at once: right while all is ASCII, for only then are their lengths those of
 * their bytes.
 */
class Filler {
  readonly #areas: EncodeAreas;
  readonly #ints: Int32Array;
  readonly #bytes: Uint8Array;
  readonly #joins: boolean;
  #joined = '';
  #at: number;
  #failed = false;

  constructor(memory: WasmMemory, areas: EncodeAreas, joins: boolean) {
    this.#areas = areas;
    this.#ints = memory.ints;
    this.#bytes = memory.bytes;
    this.#joins = joins;
    this.#at = areas.arena;
  }

  /** @returns false when a text is not ASCII though it was taken for it. */
  fill(records: readonly EncodeRecord[]): boolean {
    const ints = this.#ints;
    let word = this.#areas.descriptors / 4;
    for (const { timestampDelta, offsetDelta, key, value, headers } of records) {
      ints[word] = timestampDelta;
      ints[word + 1] = highHalf(timestampDelta);
      ints[word + 2] = offsetDelta;
      ints[word + 3] = this.#put(key);
      ints[word + 4] = this.#put(value);
      ints[word + 5] = headers.length;
      word += RECORD_WORDS;
      for (const header of headers) {
        ints[word] = this.#put(header.key);
        ints[word + 1] = this.#put(header.value);
        word += HEADER_WORDS;
      }
      if (this.#failed) return false;
    }
    this.#writeJoined();
    return !this.#failed;
  }

  /** @returns the length of its bytes, -1 for null. */
  #put(field: Uint8Array | string | null): number {
    if (field === null) return -1;
    if (typeof field === 'string') {
      if (!this.#joins || field.length >= JOINED_MAX_CHARS) {
        this.#writeJoined();
        return this.#write(field);
      }
      this.#joined += field;
      return field.length;
    }
    if (this.#joined !== '') this.#writeJoined();
    const { length } = field;
    if (this.#at + length > this.#areas.arenaEnd) this.#failed = true;
    else if (length > SHORT_MAX) this.#bytes.set(field, this.#at);
    else for (let i = 0; i < length; i++) this.#bytes[this.#at + i] = field[i]!;
    this.#at += length;
    return length;
  }

  #writeJoined(): void {
    const text = this.#joined;
    this.#joined = '';
    if (this.#write(text) !== text.length) this.#failed = true;
  }

  #write(text: string): number {
    if (text.length <= SHORT_MAX && this.#writeAscii(text)) return text.length;
    const room = this.#bytes.subarray(this.#at, this.#areas.arenaEnd);
    const { read, written } = utf8.encodeInto(text, room);
    if (read < text.length) this.#failed = true;
    this.#at += written;
    return written;
  }

  #writeAscii(text: string): boolean {
    if (this.#at + text.length > this.#areas.arenaEnd) return false;
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      if (code > 0x7f) return false;
      this.#bytes[this.#at + i] = code;
    }
    this.#at += text.length;
    return true;
  }
}
