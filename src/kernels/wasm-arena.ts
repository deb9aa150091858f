import { HEADER_SIZE, highHalf } from './batch-layout.ts';
import type { EncodeRecord } from './kernels.ts';
import { SLACK, type WasmMemory } from './wasm-memory.ts';

/** int32 words a record and a header take in the descriptors: the layout is described in assembly/encode.ts. */
const RECORD_WORDS = 6;
const HEADER_WORDS = 4;
/** Most that a record adds to its payload: seven varints, one of them 10 bytes, and the attributes. */
const RECORD_OVERHEAD_MAX = 36;
/** Most that a header adds to its payload: two varints. */
const HEADER_OVERHEAD_MAX = 10;
/** Longer texts are encoded each on its own: joining copies them once more. */
const JOINED_MAX_CHARS = 256;
/** Joined texts are encoded when they are so long: far larger strings are slow to make. */
const JOIN_CHARS = 32_768;
/** What changes so often at its place, as a trace's id does, is no longer compared. */
const CHANGES_MAX = 4;
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

/** Of the headers at one place in their records: the last, and where its fields are in the arena. */
class LastHeader {
  key: Field | undefined;
  keyPosition = 0;
  keyLength = 0;
  value: Field | null | undefined;
  valuePosition = 0;
  valueLength = 0;
  /** Values so far that were not the one before. */
  changes = 0;
}

/**
 * Writes descriptors and arena. A call that encodes a text costs more than a short text itself, so those that follow
 * one another are joined and encoded at once: right while all is ASCII, for only then are their lengths those of
 * their bytes. A header's key is as a rule that of the record before, and so at times is its value (a content type, a
 * schema's id): then they are not written again.
 */
class Filler {
  readonly #ints: Int32Array;
  readonly #bytes: Uint8Array;
  readonly #descriptors: number;
  readonly #arena: number;
  readonly #room: number;
  readonly #isAscii: boolean;
  /** By a header's place in its record. */
  readonly #last: LastHeader[] = [];
  /** Texts that are not in the arena yet, and where they begin there. */
  #joined = '';
  #joinedAt = 0;
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
    let at = this.#arena;
    for (const { timestampDelta, offsetDelta, key, value, headers } of records) {
      ints[word] = timestampDelta;
      ints[word + 1] = highHalf(timestampDelta);
      ints[word + 2] = offsetDelta;
      const keyLength = this.#put(key, at);
      ints[word + 3] = keyLength;
      if (keyLength > 0) at += keyLength;
      const valueLength = this.#put(value, at);
      ints[word + 4] = valueLength;
      if (valueLength > 0) at += valueLength;
      ints[word + 5] = headers.length;
      word += RECORD_WORDS;
      at = this.#putHeaders(headers, word, at);
      word += HEADER_WORDS * headers.length;
      if (this.fault) return;
    }
    this.#writeJoined();
    this.end = at;
    this.payload += at - this.#arena;
  }

  /** @returns where the next record's fields go. */
  #putHeaders(headers: EncodeRecord['headers'], word: number, at: number): number {
    const ints = this.#ints;
    for (let index = 0; index < headers.length; index++) {
      const header = headers[index]!;
      const last = (this.#last[index] ??= new LastHeader());
      if (header.key === last.key) this.payload += last.keyLength;
      else at = this.#putKey(header.key, last, at);
      ints[word] = last.keyPosition;
      ints[word + 1] = last.keyLength;
      if (last.changes < CHANGES_MAX && header.value === last.value) {
        ints[word + 2] = last.valuePosition;
        ints[word + 3] = last.valueLength;
        if (last.valueLength > 0) this.payload += last.valueLength;
      } else {
        const length = this.#put(header.value, at);
        ints[word + 2] = at - this.#arena;
        ints[word + 3] = length;
        if (last.changes < CHANGES_MAX) this.#changed(last, header.value, at, length);
        if (length > 0) at += length;
      }
      word += HEADER_WORDS;
    }
    return at;
  }

  /** @returns where it ends. */
  #putKey(key: Field, last: LastHeader, at: number): number {
    const length = this.#put(key, at);
    last.key = key;
    last.keyPosition = at - this.#arena;
    last.keyLength = length;
    return at + length;
  }

  #changed(last: LastHeader, value: Field | null, at: number, length: number): void {
    last.value = value;
    last.valuePosition = at - this.#arena;
    last.valueLength = length;
    last.changes++;
  }

  /** @returns the length of its bytes, which go to `at`; -1 for null. */
  #put(field: Field | null, at: number): number {
    if (field === null) return -1;
    if (typeof field === 'string') return this.#putText(field, at);
    if (this.#joined !== '') this.#writeJoined();
    const { length } = field;
    if (at + length > this.#room) this.fault = 'full';
    else if (length > SHORT_BYTES_MAX) this.#bytes.set(field, at);
    else for (let i = 0; i < length; i++) this.#bytes[at + i] = field[i]!;
    return length;
  }

  #putText(text: string, at: number): number {
    if (this.#isAscii && text.length < JOINED_MAX_CHARS) {
      if (this.#joined === '') this.#joinedAt = at;
      this.#joined += text;
      if (this.#joined.length > JOIN_CHARS) this.#writeJoined();
      return text.length;
    }
    this.#writeJoined();
    return this.#write(text, at);
  }

  #writeJoined(): void {
    const text = this.#joined;
    this.#joined = '';
    if (this.#write(text, this.#joinedAt) !== text.length) this.fault ??= 'not ASCII';
  }

  /** @returns the length of its bytes. */
  #write(text: string, at: number): number {
    if (text.length <= SHORT_CHARS_MAX && this.#writeAscii(text, at)) return text.length;
    const { read, written } = utf8.encodeInto(text, this.#bytes.subarray(at, this.#room));
    if (read < text.length) this.fault = 'full';
    return written;
  }

  #writeAscii(text: string, at: number): boolean {
    if (at + text.length > this.#room) return false;
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      if (code > 0x7f) return false;
      this.#bytes[at + i] = code;
    }
    return true;
  }
}
