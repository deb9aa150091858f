import * as fs from 'node:fs';
import { mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { Histogram } from '../../model/histogram.ts';
import type { Files, OpenFile } from '../../ports/files.ts';
import { lockDirectory } from './file-lock.ts';
import { OnTheSpot } from './on-the-spot.ts';
import { ReadBuffers } from './read-buffers.ts';

/** Linux takes this many buffers a pwritev. */
const CHUNKS_MAX = 1024;
/** What one write or read may ask of Linux, and a little less. */
const TRANSFER_MAX = 0x4000_0000;

/** Milliseconds: from a disk with a cache of its own to one that is in trouble. */
const FLUSH_BOUNDS_MS = [0.25, 0.5, 1, 2, 5, 10, 25, 50, 100, 250, 500, 1_000, 5_000];

/** The real file system. Errors are Node's own, with their `code`. */
export class NodeFiles implements Files {
  /** How long flushes of single files took. */
  readonly flushMs = new Histogram(FLUSH_BOUNDS_MS);
  /** Twice what a round begins with under load: half a millisecond. */
  readonly spotWrites = new OnTheSpot({ turnMaxBytes: 2 * 1024 * 1024, slowMs: 5 });
  /** Some fetches of a megabyte: a millisecond. A disk is waited for far more often when it is read. */
  readonly spotReads = new OnTheSpot({ turnMaxBytes: 8 * 1024 * 1024, slowMs: 1 });
  readonly buffers: ReadBuffers;

  /** @param buffers those that sockets give back. */
  constructor(buffers = new ReadBuffers()) {
    this.buffers = buffers;
  }

  readBuffer(sizeBytes: number): Uint8Array {
    return this.buffers.take(sizeBytes);
  }

  /** A file of a read-only file system is opened all the same: who only reads it may. */
  open(path: string, { create = false }: { create?: boolean } = {}): Promise<OpenFile> {
    const { O_RDWR, O_RDONLY, O_CREAT } = fs.constants;
    const withFlags = (flags: number) => promised<number>((done) => fs.open(path, flags, 0o644, done));
    return withFlags(create ? O_RDWR | O_CREAT : O_RDWR)
      .catch((error: NodeJS.ErrnoException) => {
        if (error.code !== 'EROFS' || create) throw error;
        return withFlags(O_RDONLY);
      })
      .then((fd) => new NodeFile(fd, this));
  }

  async readFile(path: string): Promise<Uint8Array | undefined> {
    // A crash makes the next start read a file a log: with callbacks it takes half the time.
    const content = await unlessAbsent(
      promised<Buffer>((done) => fs.readFile(path, done)),
      undefined,
    );
    return content && new Uint8Array(content.buffer, content.byteOffset, content.length);
  }

  list(path: string): Promise<string[]> {
    return unlessAbsent(readdir(path), []);
  }

  async makeDirectory(path: string): Promise<void> {
    await mkdir(path, { recursive: true });
  }

  rename(from: string, to: string): Promise<void> {
    return rename(from, to);
  }

  remove(path: string): Promise<void> {
    return rm(path, { recursive: true, force: true });
  }

  async flushDirectory(path: string): Promise<void> {
    // Windows cannot, and need not: NTFS keeps a journal of names.
    if (process.platform === 'win32') return;
    const directory = await open(path, 'r');
    try {
      await directory.sync();
    } finally {
      await directory.close();
    }
  }

  lock(path: string): Promise<{ release(): Promise<void> }> {
    return lockDirectory(path);
  }
}

/** Callbacks rather than a `FileHandle`: half the time a call. */
class NodeFile implements OpenFile {
  readonly #fd: number;
  readonly #files: NodeFiles;

  constructor(fd: number, files: NodeFiles) {
    this.#fd = fd;
    this.#files = files;
  }

  async read(position: number, into: Uint8Array): Promise<number> {
    let filled =
      this.#files.spotReads.tryNow(into.length, () =>
        fs.readSync(this.#fd, into, 0, into.length, position),
      ) ?? 0;
    while (filled < into.length) {
      const length = Math.min(into.length - filled, TRANSFER_MAX);
      const offset = filled;
      const count = await promised<number>((done) =>
        fs.read(this.#fd, into, offset, length, position + offset, done),
      );
      if (count === 0) break;
      filled += count;
    }
    return filled;
  }

  async write(position: number, chunks: readonly Uint8Array[]): Promise<void> {
    let at = position;
    let rest = chunks.filter((chunk) => chunk.length > 0);
    while (rest.length > 0) {
      const some = rest.slice(0, CHUNKS_MAX);
      const from = at;
      const written = await promised<number>((done) => fs.writev(this.#fd, some, from, done));
      at += written;
      rest = after(rest, written);
    }
  }

  writeNow(position: number, chunks: readonly Uint8Array[]): boolean {
    const sizeBytes = sizeOf(chunks);
    if (chunks.length > CHUNKS_MAX) return false;
    const written = this.#files.spotWrites.tryNow(sizeBytes, () =>
      fs.writevSync(this.#fd, chunks as Uint8Array[], position),
    );
    return written === sizeBytes;
  }

  async flush(): Promise<void> {
    const startedAtMs = performance.now();
    await promised((done) => fs.fdatasync(this.#fd, done));
    this.#files.flushMs.add(performance.now() - startedAtMs);
  }

  truncate(sizeBytes: number): Promise<void> {
    return promised((done) => fs.ftruncate(this.#fd, sizeBytes, done));
  }

  async size(): Promise<number> {
    return (await promised<fs.Stats>((done) => fs.fstat(this.#fd, done))).size;
  }

  close(): Promise<void> {
    return promised((done) => fs.close(this.#fd, done));
  }
}

function sizeOf(chunks: readonly Uint8Array[]): number {
  let bytes = 0;
  for (const { length } of chunks) bytes += length;
  return bytes;
}

/** What is left of `chunks` once `written` bytes are out: a write may be short, on a full disk for instance. */
function after(chunks: readonly Uint8Array[], written: number): Uint8Array[] {
  let skipped = 0;
  let left = written;
  while (skipped < chunks.length && left >= (chunks[skipped]?.length ?? 0)) {
    left -= chunks[skipped]?.length ?? 0;
    skipped++;
  }
  const rest = chunks.slice(skipped);
  if (rest[0] && left > 0) rest[0] = rest[0].subarray(left);
  return rest;
}

type Done<T> = (error: NodeJS.ErrnoException | null, value?: T) => void;

function promised<T = void>(call: (done: Done<T>) => void): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    call((error, value) => (error ? reject(error) : resolve(value as T)));
  });
}

async function unlessAbsent<T, D>(result: Promise<T>, absent: D): Promise<T | D> {
  try {
    return await result;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return absent;
    throw error;
  }
}
