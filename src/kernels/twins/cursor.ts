/**
 * A position in bytes [at, end), and Kafka's zigzag varints. What does not fit leaves `at` one past `end`, where every
 * further read keeps it: one look at `at` after a record tells whether all of it was there.
 */
export class Cursor {
  readonly #bytes: Uint8Array;
  #end = 0;
  at = 0;
  /** Halves of the last `readVarlong`. */
  low = 0;
  high = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  seek(from: number, to: number): void {
    this.at = from;
    this.#end = to;
  }

  get remaining(): number {
    return this.#end - this.at;
  }

  /** Passes over `length` bytes. A negative length fails. */
  skip(length: number): void {
    if (length < 0 || length > this.#end - this.at) this.#fail();
    else this.at += length;
  }

  /** Passes over `length` bytes, or over none when it is -1 (null). */
  skipNullable(length: number): void {
    if (length !== -1) this.skip(length);
  }

  /** int32, at most 5 bytes; bits above the 32nd are dropped, as Kafka does. */
  readVarint(): number {
    let raw = 0;
    for (let shift = 0; shift < 35 && this.at < this.#end; shift += 7) {
      const byte = this.#bytes[this.at++]!;
      raw |= (byte & 0x7f) << shift;
      if (byte < 0x80) return (raw >>> 1) ^ -(raw & 1);
    }
    this.#fail();
    return 0;
  }

  /** int64 into `low` and `high`, at most 10 bytes; bits above the 64th are dropped. */
  readVarlong(): void {
    let low = 0;
    let high = 0;
    for (let shift = 0; shift < 70 && this.at < this.#end; shift += 7) {
      const byte = this.#bytes[this.at++]!;
      const bits = byte & 0x7f;
      if (shift < 32) low |= bits << shift;
      if (shift >= 32) high |= bits << (shift - 32);
      else if (shift === 28) high |= bits >>> 4;
      if (byte < 0x80) {
        const sign = -(low & 1);
        this.low = ((low >>> 1) | (high << 31)) ^ sign;
        this.high = (high >>> 1) ^ sign;
        return;
      }
    }
    this.low = 0;
    this.high = 0;
    this.#fail();
  }

  #fail(): void {
    this.at = this.#end + 1;
  }
}
