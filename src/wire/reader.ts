/** Reads Kafka's primitive types: big-endian integers, varints, lengths. No read leaves the frame. */
import type { Uuid } from '../model/ids.ts';
import { WireError } from './error.ts';
import { listOfInt32 } from './lists.ts';
import { decodeUtf8, decodeUuid, STRING_MAX_BYTES } from './text.ts';

const TWO_32 = 0x1_0000_0000;
/**
 * Elements the lists of one message may hold, int32 aside. An empty struct takes a byte or two on the wire and
 * a hundred in memory, so the size of a frame alone does not bound what reading it costs.
 */
const ELEMENTS_MAX = 1_000_000;
const NO_BYTES = new Uint8Array(0);

/** The memory a reader reads: all of the buffer that `frame` is a part of. */
interface Memory {
  readonly frame: Uint8Array;
  readonly bytes: Uint8Array;
  readonly view: DataView;
}

const MEMORY_KEPT_MAX_BYTES = 16 * 1024 * 1024;

let last: Memory = { frame: NO_BYTES, bytes: NO_BYTES, view: new DataView(NO_BYTES.buffer) };

/** Kept from one reader to the next: messages lie many to a buffer, and views cost more than reading a small one. */
function memoryOf(frame: Uint8Array): Memory {
  if (last.frame === frame) return last;
  const { buffer } = frame;
  const { bytes, view } =
    last.bytes.buffer === buffer ? last : { bytes: new Uint8Array(buffer), view: new DataView(buffer) };
  const memory = { frame, bytes, view };
  if (buffer.byteLength <= MEMORY_KEPT_MAX_BYTES) last = memory;
  return memory;
}

/** Reads one frame. Bytes come out as views into it. Whatever is wrong is a `WireError`. */
export class Reader {
  /** Of the whole buffer, and so are all positions but `position`. */
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #start: number;
  readonly #end: number;
  #at: number;
  #elementsLeft = ELEMENTS_MAX;

  /** What lies from `at` of `frame` up to `end`. */
  constructor(frame: Uint8Array, at = 0, end = frame.length) {
    const { bytes, view } = memoryOf(frame);
    this.#bytes = bytes;
    this.#view = view;
    this.#start = frame.byteOffset;
    this.#at = this.#start + at;
    this.#end = this.#start + end;
  }

  get position(): number {
    return this.#at - this.#start;
  }

  get remaining(): number {
    return this.#end - this.#at;
  }

  /** Every byte must have been read. */
  end(): void {
    if (this.remaining !== 0) throw new WireError(`${this.remaining} bytes too many`);
  }

  skip(count: number): void {
    this.#take(count);
  }

  bool(): boolean {
    return this.#view.getInt8(this.#take(1)) !== 0;
  }
  int8(): number {
    return this.#view.getInt8(this.#take(1));
  }
  int16(): number {
    return this.#view.getInt16(this.#take(2));
  }
  uint16(): number {
    return this.#view.getUint16(this.#take(2));
  }
  int32(): number {
    return this.#view.getInt32(this.#take(4));
  }
  uint32(): number {
    return this.#view.getUint32(this.#take(4));
  }
  int64(): number {
    const at = this.#take(8);
    const high = this.#view.getInt32(at);
    const low = this.#view.getUint32(at + 4);
    // Most are small, and an engine keeps those without an object of their own.
    if (high === 0) return low;
    const value = high * TWO_32 + low;
    if (!Number.isSafeInteger(value)) throw new WireError('an int64 beyond 2^53');
    return value;
  }
  int64Exact(): bigint {
    return this.#view.getBigInt64(this.#take(8));
  }
  float64(): number {
    return this.#view.getFloat64(this.#take(8));
  }
  uuid(): Uuid {
    return decodeUuid(this.#bytes, this.#take(16));
  }

  unsignedVarint(): number {
    const first = this.#view.getUint8(this.#take(1));
    return first < 0x80 ? first : this.#longVarint(first & 0x7f);
  }

  #longVarint(lowest: number): number {
    let value = lowest;
    for (let shift = 7; shift < 28; shift += 7) {
      const byte = this.#view.getUint8(this.#take(1));
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    const last = this.#view.getUint8(this.#take(1));
    if (last > 0x0f) throw new WireError('a varint beyond 32 bits');
    return (value | (last << 28)) >>> 0;
  }

  string(): string | null {
    return this.#text(this.#length(this.int16()));
  }
  compactString(): string | null {
    const length = this.unsignedVarint() - 1;
    if (length > STRING_MAX_BYTES) throw new WireError(`a string of ${length} bytes`);
    return this.#text(length);
  }
  bytes(): Uint8Array | null {
    return this.#slice(this.#length(this.int32()));
  }
  compactBytes(): Uint8Array | null {
    return this.#slice(this.unsignedVarint() - 1);
  }

  /**
   * How many elements follow, -1 for null. `sizeMin` is the least an element takes, so the frame bounds the
   * count.
   */
  count(sizeMin: number): number {
    return this.#bounded(this.#length(this.int32()), sizeMin);
  }
  compactCount(sizeMin: number): number {
    return this.#bounded(this.unsignedVarint() - 1, sizeMin);
  }

  /** Frozen where it is shared with others that are equal. */
  int32s(count: number): readonly number[] {
    return listOfInt32(this.#view, this.#take(4 * count), count);
  }

  /** To be called before so many elements of a list are read. */
  countElements(count: number): void {
    this.#elementsLeft -= count;
    if (this.#elementsLeft < 0) throw new WireError(`more than ${ELEMENTS_MAX} list elements`);
  }

  #take(count: number): number {
    const at = this.#at;
    if (count > this.#end - at) throw new WireError(`${count} bytes wanted, ${this.remaining} left`);
    this.#at = at + count;
    return at;
  }

  #length(length: number): number {
    if (length < -1) throw new WireError(`a length of ${length}`);
    return length;
  }

  #bounded(count: number, sizeMin: number): number {
    if (count * sizeMin > this.remaining) throw new WireError(`${count} elements in ${this.remaining} bytes`);
    return count;
  }

  #text(length: number): string | null {
    if (length < 0) return null;
    const at = this.#take(length);
    return decodeUtf8(this.#bytes, at, at + length);
  }

  #slice(length: number): Uint8Array | null {
    if (length < 0) return null;
    const at = this.#take(length);
    // Not `subarray`: of a Node Buffer that is a Buffer again, whose `slice` does not copy.
    return new Uint8Array(this.#bytes.buffer, at, length);
  }
}
