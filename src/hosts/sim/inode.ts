import type { SeededRandom } from './random.ts';

/** What a device writes whole. */
const SECTOR_BYTES = 512;

type Change = { position: number; bytes: Uint8Array } | { sizeBytes: number };

/** Bytes that grow at the end without being copied each time. */
class Content {
  #buffer = new Uint8Array(256);
  sizeBytes = 0;

  get bytes(): Uint8Array {
    return this.#buffer.subarray(0, this.sizeBytes);
  }

  apply(change: Change): void {
    if ('sizeBytes' in change) this.#resize(change.sizeBytes);
    else this.#write(change.position, change.bytes);
  }

  replace(bytes: Uint8Array): void {
    this.#buffer = bytes.slice();
    this.sizeBytes = bytes.length;
  }

  #write(position: number, bytes: Uint8Array): void {
    if (position + bytes.length > this.sizeBytes) this.#resize(position + bytes.length);
    this.#buffer.set(bytes, position);
  }

  /** What is new is zero, as a file's hole is. */
  #resize(sizeBytes: number): void {
    if (sizeBytes < this.sizeBytes) this.#buffer.fill(0, sizeBytes, this.sizeBytes);
    if (sizeBytes > this.#buffer.length) {
      const larger = new Uint8Array(Math.max(sizeBytes, this.#buffer.length * 2));
      larger.set(this.#buffer);
      this.#buffer = larger;
    }
    this.sizeBytes = sizeBytes;
  }
}

/** One file: what processes see (the page cache), and what is on the device, which has had all but `pending`. */
export class Inode {
  readonly #cached = new Content();
  readonly #durable = new Content();
  #pending: Change[] = [];
  #hasFalselyClean = false;

  get bytes(): Uint8Array {
    return this.#cached.bytes;
  }

  get durableBytes(): Uint8Array {
    return this.#durable.bytes;
  }

  write(position: number, bytes: Uint8Array): void {
    if (bytes.length > 0) this.#change({ position, bytes: bytes.slice() });
  }

  truncate(sizeBytes: number): void {
    this.#change({ sizeBytes });
  }

  flush(): void {
    for (const change of this.#pending) this.#durable.apply(change);
    this.#pending = [];
  }

  /** Linux takes pages it could not write for clean: a later flush says yes and does not write them. */
  failFlush(random: SeededRandom): void {
    if (this.#pending.length === 0 || random.chance(0.5)) return;
    this.#pending = [];
    this.#hasFalselyClean = true;
  }

  /**
   * For the next process all is dirty again that a failed flush has left: no program could tell from the file that it
   * is not on the device.
   */
  writeBack(): void {
    if (!this.#hasFalselyClean) return;
    this.#hasFalselyClean = false;
    this.#pending = [{ sizeBytes: this.bytes.length }, { position: 0, bytes: this.bytes.slice() }];
  }

  /** The power is gone: of what was not flushed the device has nothing, all, a torn prefix, or some sectors. */
  loseWhatWasNotFlushed(random: SeededRandom): void {
    const pending = this.#pending;
    this.#pending = [];
    this.#hasFalselyClean = false;
    const fate = random.int(4);
    if (fate === 1) for (const change of pending) this.#durable.apply(change);
    if (fate === 2) this.#keepPrefix(pending, random);
    const lost = new Set<number>();
    if (fate === 3) for (const change of pending) this.#keepSectors(change, lost, random);
    this.#cached.replace(this.#durable.bytes);
  }

  #keepPrefix(pending: readonly Change[], random: SeededRandom): void {
    const kept = random.int(pending.length + 1);
    for (const change of pending.slice(0, kept)) this.#durable.apply(change);
    const torn = pending[kept];
    if (torn === undefined || 'sizeBytes' in torn) return;
    const bytes = torn.bytes.subarray(0, random.int(torn.bytes.length));
    if (bytes.length > 0) this.#durable.apply({ position: torn.position, bytes });
  }

  /**
   * The size may be on the device before what fills it: then there are zeros. A sector is written as it is in the page
   * cache: with all that came before, so what came after a change that is `lost` is lost with it.
   */
  #keepSectors(change: Change, lost: Set<number>, random: SeededRandom): void {
    if ('sizeBytes' in change) return this.#durable.apply(change);
    const { position, bytes } = change;
    if (random.chance(0.5) && position + bytes.length > this.#durable.sizeBytes)
      this.#durable.apply({ sizeBytes: position + bytes.length });
    for (let at = 0; at < bytes.length;) {
      const sector = Math.floor((position + at) / SECTOR_BYTES);
      const piece = bytes.subarray(at, (sector + 1) * SECTOR_BYTES - position);
      if (lost.has(sector) || random.chance(0.5)) lost.add(sector);
      else this.#durable.apply({ position: position + at, bytes: piece });
      at += piece.length;
    }
  }

  #change(change: Change): void {
    this.#cached.apply(change);
    this.#pending.push(change);
  }
}
