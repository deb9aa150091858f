import { HEADER_SIZE, highHalf } from './batch-layout.ts';
import type { EncodeRecord } from './kernels.ts';
import { SLACK, type WasmMemory } from './wasm-memory.ts';

/** int32 words a record and a header take in the descriptors: the layout is described in assembly/encode.ts. */
const RECORD_WORDS = 6;
const HEADER_WORDS = 3;
/** Most that a record adds to its payload: seven varints, one of them 10 bytes, and the attributes. */
const RECORD_OVERHEAD_MAX = 36;
/** Most that a header adds to its payload: two varints. */
const HEADER_OVERHEAD_MAX = 10;
/** Longer texts are encoded each on its own: joining copies them once more. */
const JOINED_MAX_CHARS = 256;
/** Joined texts are encoded when they are so long: far larger strings are slow to make. */
const JOIN_CHARS = 32_768;
/** Bytes, or characters, that a loop moves faster than a call does. */
const SHORT_BYTES_MAX = 8;
const SHORT_CHARS_MAX = 24;
const utf8 = new TextEncoder();

type Field = Uint8Array | string;

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
 * Lays `records` out as descriptors and arena, in one pass: into the memory there is, and again into more when that is
 * too little. Texts are taken for ASCII, a byte a character, until one is not.
 * @returns undefined when they do not fit the kernels' memory.
 */
export function layOut(memory: WasmMemory, records: readonly EncodeRecord[]): EncodeAreas | undefined {
  let headerCount = 0;
  for (const { headers } of records) headerCount += headers.length;
  const descriptors = memory.base;
  const arena = descriptors + 4 * (RECORD_WORDS * records.length + HEADER_WORDS * headerCount);
  if (!memory.reserve(arena + SLACK - descriptors)) return undefined;
  for (let isAscii = true; ;) {
    const filler = new Filler(memory, arena, isAscii);
    filler.fill(records);
    if (filler.fault === undefined) {
      const out = filler.end + SLACK;
      const overhead = RECORD_OVERHEAD_MAX * records.length + HEADER_OVERHEAD_MAX * headerCount;
      const outEnd = out + HEADER_SIZE + filler.payload + overhead;
      if (!memory.reserve(outEnd + SLACK - descriptors)) return undefined;
      return { descriptors, descriptorsEnd: arena, arena, arenaEnd: filler.end, out, outEnd };
    }
    if (filler.fault === 'not ASCII') isAscii = false;
    else if (!memory.reserve(memory.bytes.length + 1 - descriptors)) return undefined;
  }
}

/**
 * Writes descriptors and arena. A call that encodes a text costs more than a short text itself, so those that follow
 * one another are joined and encoded at once: right while all is ASCII, for only then are their lengths those of
 * their bytes. A header's key is as a rule that of the record before, and then not written again.
 */
class Filler {
  readonly #ints: Int32Array;
  readonly #bytes: Uint8Array;
  readonly #descriptors: number;
  readonly #arena: number;
  readonly #room: number;
  readonly #isAscii: boolean;
  /** Header keys by their place in a record, with where they are in the arena, and their lengths. */
  readonly #keys: Field[] = [];
  readonly #keyPositions: number[] = [];
  readonly #keyLengths: number[] = [];
  #joined = '';
  fault: 'full' | 'not ASCII' | undefined;
  /** Where the arena ends. */
  end: number;
  /** Bytes of all fields. */
  payload = 0;

  constructor(memory: WasmMemory, arena: number, isAscii: boolean) {
    this.#ints = memory.ints;
    this.#bytes = memory.bytes;
    this.#descriptors = memory.base;
    this.#arena = this.end = arena;
    this.#room = memory.bytes.length - SLACK;
    this.#isAscii = isAscii;
  }

  fill(records: readonly EncodeRecord[]): void {
    const ints = this.#ints;
    let word = this.#descriptors / 4;
    for (const { timestampDelta, offsetDelta, key, value, headers } of records) {
      ints[word] = timestampDelta;
      ints[word + 1] = highHalf(timestampDelta);
      ints[word + 2] = offsetDelta;
      ints[word + 3] = this.#put(key);
      ints[word + 4] = this.#put(value);
      ints[word + 5] = headers.length;
      word += RECORD_WORDS;
      for (let index = 0; index < headers.length; index++) {
        const header = headers[index]!;
        if (header.key !== this.#keys[index]) this.#putKey(header.key, index);
        const keyLength = this.#keyLengths[index]!;
        ints[word] = this.#keyPositions[index]!;
        ints[word + 1] = keyLength;
        ints[word + 2] = this.#put(header.value);
        this.payload += keyLength;
        word += HEADER_WORDS;
      }
      if (this.fault) return;
    }
    this.#writeJoined();
    this.payload += this.end - this.#arena;
  }

  #putKey(key: Field, index: number): void {
    this.#keys[index] = key;
    this.#keyPositions[index] = this.end + this.#joined.length - this.#arena;
    this.#keyLengths[index] = this.#put(key);
  }

  /** @returns the length of its bytes, -1 for null. */
  #put(field: Field | null): number {
    if (field === null) return -1;
    const { length } = field;
    if (typeof field !== 'string') {
      if (this.#joined !== '') this.#writeJoined();
      this.#putBytes(field);
      return length;
    }
    if (this.#isAscii && length < JOINED_MAX_CHARS) {
      this.#joined += field;
      if (this.#joined.length > JOIN_CHARS) this.#writeJoined();
      return length;
    }
    this.#writeJoined();
    return this.#write(field);
  }

  #putBytes(field: Uint8Array): void {
    const at = this.end;
    const { length } = field;
    this.end += length;
    if (this.end > this.#room) this.fault = 'full';
    else if (length > SHORT_BYTES_MAX) this.#bytes.set(field, at);
    else for (let i = 0; i < length; i++) this.#bytes[at + i] = field[i]!;
  }

  #writeJoined(): void {
    const text = this.#joined;
    this.#joined = '';
    if (this.#write(text) !== text.length) this.fault ??= 'not ASCII';
  }

  /** @returns the length of its bytes. */
  #write(text: string): number {
    if (text.length <= SHORT_CHARS_MAX && this.#writeAscii(text)) return text.length;
    const { read, written } = utf8.encodeInto(text, this.#bytes.subarray(this.end, this.#room));
    if (read < text.length) this.fault = 'full';
    this.end += written;
    return written;
  }

  #writeAscii(text: string): boolean {
    const at = this.end;
    if (at + text.length > this.#room) return false;
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      if (code > 0x7f) return false;
      this.#bytes[at + i] = code;
    }
    this.end += text.length;
    return true;
  }
}
