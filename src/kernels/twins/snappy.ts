import { copyLiterals, copyMatch, LZ_BLOCK_MAX, Matches } from './lz-match.ts';

const LITERAL = 0;
const COPY_1_BYTE_OFFSET = 1;
const COPY_2_BYTE_OFFSET = 2;

export function packSnappy(bytes: Uint8Array, out: Uint8Array, at: number): number {
  for (let start = 0; start < bytes.length; start += LZ_BLOCK_MAX) {
    at = packBlock(bytes.subarray(start, start + LZ_BLOCK_MAX), out, at);
  }
  return at;
}

function packBlock(block: Uint8Array, out: Uint8Array, at: number): number {
  const writer = new SnappyWriter(block, out, at);
  const matches = new Matches(block, 'quick');
  let literals = 0;
  for (; matches.find(literals); literals = matches.end) {
    writer.literal(literals, matches.start);
    writer.copy(matches.distance, matches.end - matches.start);
  }
  writer.literal(literals, block.length);
  return writer.at;
}

class SnappyWriter {
  readonly #block: Uint8Array;
  readonly #out: Uint8Array;
  at: number;

  constructor(block: Uint8Array, out: Uint8Array, at: number) {
    this.#block = block;
    this.#out = out;
    this.at = at;
  }

  literal(start: number, end: number): void {
    const length = end - start;
    if (length === 0) return;
    const extraBytes = length <= 60 ? 0 : length <= 256 ? 1 : 2;
    this.#out[this.at++] = ((extraBytes === 0 ? length - 1 : 59 + extraBytes) << 2) | LITERAL;
    if (extraBytes > 0) this.#out[this.at++] = (length - 1) & 0xff;
    if (extraBytes > 1) this.#out[this.at++] = (length - 1) >>> 8;
    copyLiterals(this.#block, start, { into: this.#out, position: this.at, length });
    this.at += length;
  }

  /** No copy is longer than 64, and none shorter than 4, which the short form cannot say. */
  copy(offset: number, length: number): void {
    let left = length;
    for (; left >= 68; left -= 64) this.#copyPart(offset, 64);
    if (left > 64) {
      this.#copyPart(offset, 60);
      left -= 60;
    }
    this.#copyPart(offset, left);
  }

  #copyPart(offset: number, length: number): void {
    if (length < 12 && offset < 2048) {
      this.#out[this.at++] = ((offset >>> 8) << 5) | ((length - 4) << 2) | COPY_1_BYTE_OFFSET;
      this.#out[this.at++] = offset & 0xff;
      return;
    }
    this.#out[this.at++] = ((length - 1) << 2) | COPY_2_BYTE_OFFSET;
    this.#out[this.at++] = offset & 0xff;
    this.#out[this.at++] = offset >>> 8;
  }
}

export function unpackSnappy(elements: Uint8Array, out: Uint8Array): boolean {
  let position = 0;
  let at = 0;
  while (at < elements.length) {
    const tag = elements[at++]!;
    const kind = tag & 3;
    if (kind === LITERAL) {
      const extraBytes = Math.max((tag >>> 2) - 59, 0);
      if (extraBytes > elements.length - at) return false;
      const length = (extraBytes === 0 ? tag >>> 2 : littleEndian(elements, at, extraBytes)) + 1;
      at += extraBytes;
      if (length > elements.length - at || length > out.length - position) return false;
      copyLiterals(elements, at, { into: out, position, length });
      at += length;
      position += length;
      continue;
    }
    const short = kind === COPY_1_BYTE_OFFSET;
    const offsetBytes = short ? 1 : kind === COPY_2_BYTE_OFFSET ? 2 : 4;
    if (offsetBytes > elements.length - at) return false;
    const length = short ? ((tag >>> 2) & 7) + 4 : (tag >>> 2) + 1;
    const offset = littleEndian(elements, at, offsetBytes) + (short ? (tag >>> 5) << 8 : 0);
    at += offsetBytes;
    if (offset === 0 || offset > position || length > out.length - position) return false;
    copyMatch(out, position, offset, length);
    position += length;
  }
  return position === out.length;
}

function littleEndian(bytes: Uint8Array, at: number, count: number): number {
  let value = 0;
  for (let i = count - 1; i >= 0; i--) value = value * 256 + bytes[at + i]!;
  return value;
}
