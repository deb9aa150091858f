/** Writes what `reader.ts` reads. */
import { concat } from '../model/bytes.ts';
import type { Uuid } from '../model/ids.ts';
import { Slabs } from '../model/slabs.ts';
import { WireError } from './error.ts';
import { encodeAscii, encodeUtf8, encodeUuid, isShort, STRING_MAX_BYTES, utf8Length } from './text.ts';

const TWO_32 = 0x1_0000_0000;
const SCRATCH_BYTES = 16 * 1024;
const SCRATCH_KEPT_MAX_BYTES = 1024 * 1024;
/** Messages up to this size share memory with others that are sent, of which there is so much at a time, roughly. */
const SMALL_MAX_BYTES = 1024;
const SENT_BYTES = 1024 * 1024;
/** From here on, bytes are handed on by reference rather than copied. */
const REFERENCE_MIN_BYTES = 1024;

/**
 * Writes into scratch memory that is used again; `finish` copies out what was written, once and to size.
 * `start` begins anew, whatever became of the message before.
 */
export class Writer {
  #scratch = new Uint8Array(SCRATCH_BYTES);
  #view = new DataView(this.#scratch.buffer);
  #at = 0;
  /** Bytes to stand in between what is written: each with its position in the scratch. */
  #references: { at: number; bytes: Uint8Array }[] = [];
  #referencedBytes = 0;
  #byReference = false;
  #sizedDepth = 0;
  readonly #slabs = new Slabs(SENT_BYTES);

  /** `byReference`: large byte fields become chunks of their own. */
  start(byReference: boolean): this {
    if (this.#scratch.length > SCRATCH_KEPT_MAX_BYTES) this.#replaceScratch(SCRATCH_BYTES);
    this.#at = 0;
    this.#references = [];
    this.#referencedBytes = 0;
    this.#byReference = byReference;
    this.#sizedDepth = 0;
    return this;
  }

  /** What was written since `start(false)`. Scratch that would not be kept is not copied: it is handed out. */
  finish(): Uint8Array {
    const scratch = this.#scratch;
    if (scratch.length <= SCRATCH_KEPT_MAX_BYTES) return scratch.slice(0, this.#at);
    this.#scratch = new Uint8Array(SCRATCH_BYTES);
    this.#view = new DataView(this.#scratch.buffer);
    return scratch.subarray(0, this.#at);
  }

  /** What was written since `start`, in one piece: large fields were not copied before. */
  finishWhole(): Uint8Array {
    return this.#references.length === 0 ? this.finish() : concat(this.finishChunks());
  }

  /** What was written since `start`, in order, to be sent soon. */
  finishChunks(): Uint8Array[] {
    const isSmall = this.#at <= SMALL_MAX_BYTES;
    const written = isSmall ? this.#slabs.copy(this.#scratch.subarray(0, this.#at)) : this.finish();
    const chunks: Uint8Array[] = [];
    if (this.#references.length === 0) return [written];
    let from = 0;
    for (const { at, bytes } of this.#references) {
      if (at > from) chunks.push(written.subarray(from, at));
      chunks.push(bytes);
      from = at;
    }
    if (written.length > from) chunks.push(written.subarray(from));
    this.#references = [];
    return chunks;
  }

  /** Puts the size of all that follows it into the int32 at the start. */
  prefixSize(): void {
    this.#view.setInt32(0, this.#at + this.#referencedBytes - 4);
  }

  bool(value: boolean): void {
    const at = this.#grow(1);
    this.#view.setInt8(at, value ? 1 : 0);
  }
  int8(value: number): void {
    if ((value << 24) >> 24 !== value) throw new WireError(`${value} is no int8`);
    const at = this.#grow(1);
    this.#view.setInt8(at, value);
  }
  int16(value: number): void {
    if ((value << 16) >> 16 !== value) throw new WireError(`${value} is no int16`);
    const at = this.#grow(2);
    this.#view.setInt16(at, value);
  }
  uint16(value: number): void {
    if ((value & 0xffff) !== value) throw new WireError(`${value} is no uint16`);
    const at = this.#grow(2);
    this.#view.setUint16(at, value);
  }
  int32(value: number): void {
    if ((value | 0) !== value) throw new WireError(`${value} is no int32`);
    const at = this.#grow(4);
    this.#view.setInt32(at, value);
  }
  int32s(values: readonly number[]): void {
    const at = this.#grow(4 * values.length);
    for (let i = 0; i < values.length; i++) {
      const value = values[i] as number;
      if ((value | 0) !== value) throw new WireError(`${value} is no int32`);
      this.#view.setInt32(at + 4 * i, value);
    }
  }
  uint32(value: number): void {
    if (value >>> 0 !== value) throw new WireError(`${value} is no uint32`);
    const at = this.#grow(4);
    this.#view.setUint32(at, value);
  }
  int64(value: number): void {
    if (!Number.isSafeInteger(value)) throw new WireError(`${value} is beyond 2^53`);
    const at = this.#grow(8);
    this.#view.setInt32(at, Math.floor(value / TWO_32));
    this.#view.setUint32(at + 4, value >>> 0);
  }
  int64Exact(value: bigint): void {
    if (BigInt.asIntN(64, value) !== value) throw new WireError(`${value} is no int64`);
    const at = this.#grow(8);
    this.#view.setBigInt64(at, value);
  }
  float64(value: number): void {
    const at = this.#grow(8);
    this.#view.setFloat64(at, value);
  }
  uuid(id: Uuid): void {
    const at = this.#grow(16);
    encodeUuid(id, this.#scratch, at);
  }

  unsignedVarint(value: number): void {
    let rest = value;
    let at = this.#grow(varintSize(value));
    for (; rest >= 0x80; rest >>>= 7) this.#scratch[at++] = (rest & 0x7f) | 0x80;
    this.#scratch[at] = rest;
  }

  string(text: string | null): void {
    if (text === null) return this.int16(-1);
    const at = this.#shortAscii(text, 2);
    if (at !== undefined) return this.#view.setInt16(at, text.length);
    const length = stringLength(text);
    this.int16(length);
    this.#text(text, length);
  }
  compactString(text: string | null): void {
    if (text === null) return this.unsignedVarint(0);
    const at = this.#shortAscii(text, 1);
    if (at !== undefined) return this.#view.setUint8(at, text.length + 1);
    const length = stringLength(text);
    this.unsignedVarint(length + 1);
    this.#text(text, length);
  }
  bytes(bytes: Uint8Array | null): void {
    if (bytes === null) return this.int32(-1);
    this.int32(bytes.length);
    this.#raw(bytes);
  }
  compactBytes(bytes: Uint8Array | null): void {
    if (bytes === null) return this.unsignedVarint(0);
    this.unsignedVarint(bytes.length + 1);
    this.#raw(bytes);
  }

  /** Begins what is preceded by its size as a varint; give the mark to `endSized`. */
  beginSized(): number {
    this.#sizedDepth++;
    return this.#grow(1);
  }
  endSized(mark: number): void {
    this.#sizedDepth--;
    const size = this.#at - mark - 1;
    const extra = varintSize(size) - 1;
    if (extra > 0) {
      this.#grow(extra);
      this.#scratch.copyWithin(mark + 1 + extra, mark + 1, mark + 1 + size);
    }
    this.#at = mark;
    this.unsignedVarint(size);
    this.#at += size;
  }

  /** Writes `text` behind a prefix if it is short and ASCII, as most are; returns where the prefix has to go. */
  #shortAscii(text: string, prefixBytes: number): number | undefined {
    if (!isShort(text)) return undefined;
    const at = this.#grow(prefixBytes + text.length);
    if (encodeAscii(text, this.#scratch, at + prefixBytes)) return at;
    this.#at = at;
    return undefined;
  }

  #text(text: string, length: number): void {
    const at = this.#grow(length);
    encodeUtf8(text, length, this.#scratch, at);
  }

  #raw(bytes: Uint8Array): void {
    if (this.#byReference && this.#sizedDepth === 0 && bytes.length >= REFERENCE_MIN_BYTES) {
      this.#references.push({ at: this.#at, bytes });
      this.#referencedBytes += bytes.length;
    } else {
      const at = this.#grow(bytes.length);
      this.#scratch.set(bytes, at);
    }
  }

  /** Takes `count` bytes, returns where they start. Name `#view` and `#scratch` after it: it may replace both. */
  #grow(count: number): number {
    const at = this.#at;
    this.#at = at + count;
    if (this.#at > this.#scratch.length) this.#replaceScratch(Math.max(this.#at, this.#scratch.length * 2));
    return at;
  }

  #replaceScratch(size: number): void {
    const scratch = new Uint8Array(size);
    scratch.set(this.#scratch.subarray(0, size));
    this.#scratch = scratch;
    this.#view = new DataView(scratch.buffer);
  }
}

function varintSize(value: number): number {
  return value < 0x80 ? 1 : value < 0x4000 ? 2 : value < 0x20_0000 ? 3 : value < 0x1000_0000 ? 4 : 5;
}

function stringLength(text: string): number {
  const length = utf8Length(text);
  if (length > STRING_MAX_BYTES) throw new WireError(`a string of ${length} bytes`);
  return length;
}
