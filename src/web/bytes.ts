const TWO_32 = 0x1_0000_0000;
/** The place of an eleventh byte. */
const VARINT_END = 2 ** 70;
const UTF8 = new TextDecoder('utf-8', { ignoreBOM: true });
const TO_UTF8 = new TextEncoder();

/** Reads Kafka's primitives as flexible versions have them. What lies beyond the end is a RangeError. */
export class Input {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get isAtEnd(): boolean {
    return this.at === this.#bytes.length;
  }

  int8(): number {
    return this.#view.getInt8(this.#take(1));
  }
  int16(): number {
    return this.#view.getInt16(this.#take(2));
  }
  int32(): number {
    return this.#view.getInt32(this.#take(4));
  }
  uint32(): number {
    return this.#view.getUint32(this.#take(4));
  }
  int64(): number {
    return this.int32() * TWO_32 + this.uint32();
  }

  /** Exact up to 2^53. */
  unsignedVarint(): number {
    let value = 0;
    for (let place = 1; place < VARINT_END; place *= 128) {
      const byte = this.#view.getUint8(this.#take(1));
      value += (byte & 0x7f) * place;
      if (byte < 0x80) return value;
    }
    throw new RangeError('a varint is longer than 10 bytes');
  }

  /** Zig-zag; as above. */
  varint(): number {
    const raw = this.unsignedVarint();
    return raw % 2 === 0 ? raw / 2 : -(raw + 1) / 2;
  }

  /** Null for a length of -1. A view. */
  slice(length: number): Uint8Array | null {
    if (length === -1) return null;
    const at = this.#take(length);
    return this.#bytes.subarray(at, at + length);
  }
  bytes(): Uint8Array | null {
    return this.slice(this.unsignedVarint() - 1);
  }
  text(): string | null {
    return textOf(this.bytes());
  }
  /** Sixteen bytes, a character each: to be compared, and sent back. */
  uuid(): string {
    return String.fromCharCode(...(this.slice(16) ?? []));
  }

  list<T>(read: () => T): T[] {
    const items: T[] = [];
    for (let left = this.unsignedVarint() - 1; left > 0; left--) items.push(read());
    return items;
  }

  /** The tagged fields that end a struct, most of them unknown here. */
  tags(known?: (tag: number, field: Input) => void): void {
    for (let left = this.unsignedVarint(); left > 0; left--) {
      const tag = this.unsignedVarint();
      const field = this.slice(this.unsignedVarint());
      if (field !== null) known?.(tag, new Input(field));
    }
  }

  #take(count: number): number {
    const { at } = this;
    if (count < 0 || count > this.#bytes.length - at) throw new RangeError(`${count} bytes are not there`);
    this.at += count;
    return at;
  }
}

export function textOf(bytes: Uint8Array | null): string | null {
  return bytes === null ? null : UTF8.decode(bytes);
}

export function bytesOf(text: Uint8Array | string): Uint8Array {
  return typeof text === 'string' ? TO_UTF8.encode(text) : text;
}

/** Writes what `Input` reads. */
export class Output {
  #bytes = new Uint8Array(256);
  #view = new DataView(this.#bytes.buffer);
  #at = 0;

  /** Begins anew, in the same memory: what `finish` gave is no more. */
  clear(): this {
    this.#at = 0;
    return this;
  }

  int8(value: number): this {
    const at = this.#grow(1);
    this.#view.setInt8(at, value);
    return this;
  }
  int16(value: number): this {
    const at = this.#grow(2);
    this.#view.setInt16(at, value);
    return this;
  }
  int32(value: number): this {
    const at = this.#grow(4);
    this.#view.setInt32(at, value);
    return this;
  }
  int64(value: number): this {
    return this.int32(Math.floor(value / TWO_32)).int32(value);
  }

  unsignedVarint(value: number): this {
    let rest = value;
    for (; rest >= 0x80; rest = Math.floor(rest / 128)) this.int8((rest % 128) | 0x80);
    return this.int8(rest);
  }
  varint(value: number): this {
    return this.unsignedVarint(value < 0 ? -2 * value - 1 : 2 * value);
  }

  raw(bytes: Uint8Array): this {
    const at = this.#grow(bytes.length);
    this.#bytes.set(bytes, at);
    return this;
  }
  bytes(bytes: Uint8Array | null): this {
    return bytes === null ? this.unsignedVarint(0) : this.unsignedVarint(bytes.length + 1).raw(bytes);
  }
  text(text: string | null): this {
    return this.bytes(text === null ? null : bytesOf(text));
  }
  uuid(id: string): this {
    return this.raw(Uint8Array.from(id, (byte) => byte.charCodeAt(0)));
  }

  list<T>(items: readonly T[], write: (item: T) => void): this {
    this.unsignedVarint(items.length + 1);
    for (const item of items) write(item);
    return this;
  }
  /** No tagged fields. */
  end(): this {
    return this.int8(0);
  }

  /** What was written: a view. */
  finish(): Uint8Array {
    return this.#bytes.subarray(0, this.#at);
  }

  /** Name `#view` and `#bytes` after it: it may replace both. */
  #grow(count: number): number {
    const at = this.#at;
    this.#at += count;
    if (this.#at > this.#bytes.length) {
      const larger = new Uint8Array(2 * this.#at);
      larger.set(this.#bytes);
      this.#bytes = larger;
      this.#view = new DataView(this.#bytes.buffer);
    }
    return at;
  }
}
