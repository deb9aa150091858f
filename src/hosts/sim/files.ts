import type { Millis } from '../../model/ids.ts';
import type { Files, OpenFile } from '../../ports/files.ts';
import { HEADER_SIZE, forEachBatch } from '../../records/header.ts';
import { concat } from '../../model/bytes.ts';
import { type Disk, FileError } from './disk.ts';
import type { Inode } from './inode.ts';
import type { SeededRandom } from './random.ts';
import type { Scheduler } from './scheduler.ts';

/** How the device is at the moment; faults change it. */
export interface DiskState {
  /** Times as slow. */
  slowness: number;
  /** How many of the calls that read or change fail with EIO. */
  failRatio: number;
  full: boolean;
  /** How many reads come with one wrong bit, which is right when they are made again. */
  flipRatio: number;
}

export function healthyDisk(): DiskState {
  return { slowness: 1, failRatio: 0, full: false, flipRatio: 0 };
}

/** What the faults did, for the totals and for those who judge. */
export interface DiskCounters {
  failed: number;
  refused: number;
  /** Of what a wrong bit was read, and when. */
  flipped: { path: string; atMs: Millis }[];
}

/** How long a call takes: least and most. */
const DELAYS = { read: [0.05, 0.4], write: [0.05, 0.5], name: [0.05, 0.4], flush: [0.3, 3] } as const;
type Kind = keyof typeof DELAYS;
/** A bit that is wrong on its way is right when it is read again: so long, in a file, as that may take. */
const RIGHT_AGAIN_MS = 100;
/**
 * Where a checksum covers what is read, or a neighbour vouches for it. The small text files have neither: a digit of an
 * offset in a checkpoint is as good as another.
 */
const COVERED = /(?:-\d+\/\d{20}(?:-\d{10})?\.(?:log|index|timeindex|snapshot|checkpoint)|\/milena\.logs)$/;

/** So many of the bits that are wrong in a log are of a batch's header: there they do most harm. */
const HEADER_RATIO = 0.5;

interface Call<T> {
  kind: Kind;
  path: string;
  run: () => T;
  /** What there is of it when it fails, or when the process dies meanwhile. */
  partly?: (random: SeededRandom) => void;
  /** In place of `partly` when it fails. */
  failing?: (random: SeededRandom) => void;
}

export interface FilesParts {
  disk: Disk;
  state: DiskState;
  counters: DiskCounters;
  scheduler: Scheduler;
  random: SeededRandom;
}

/** The files as one process has them: each call takes its time, may fail, and stops when the process is killed. */
export class SimFiles implements Files {
  readonly #parts: FilesParts;
  readonly #underWay = new Set<Call<unknown>>();
  #isDead = false;

  constructor(parts: FilesParts) {
    this.#parts = parts;
  }

  /** The process is gone: what it had asked for is done, done in part, or not. */
  kill(): void {
    const { random } = this.#parts;
    this.#isDead = true;
    for (const call of this.#underWay) {
      const fate = random.int(3);
      if (fate === 0) call.partly?.(random);
      if (fate === 1) attempt(call.run);
    }
    this.#underWay.clear();
  }

  open(path: string, { create = false }: { create?: boolean } = {}): Promise<OpenFile> {
    const { disk } = this.#parts;
    return this.#call({
      kind: 'name',
      path,
      run: () => {
        const inode = disk.file(path) ?? (create ? disk.create(path) : undefined);
        if (inode === undefined) throw new FileError('ENOENT', path);
        return this.#opened(path, inode);
      },
    });
  }

  readFile(path: string): Promise<Uint8Array | undefined> {
    return this.#call({
      kind: 'read',
      path,
      run: () => {
        const whole = this.#parts.disk.file(path)?.bytes;
        const bytes = whole?.slice();
        if (whole && bytes) this.#maybeFlip({ path, whole }, 0, bytes);
        return bytes;
      },
    });
  }

  list(path: string): Promise<string[]> {
    return this.#call({ kind: 'name', path, run: () => this.#parts.disk.list(path) });
  }

  makeDirectory(path: string): Promise<void> {
    return this.#call({ kind: 'name', path, run: () => this.#parts.disk.makeDirectory(path) });
  }

  rename(from: string, to: string): Promise<void> {
    const run = () => this.#parts.disk.rename(from, to);
    return this.#call({ kind: 'name', path: from, run });
  }

  remove(path: string): Promise<void> {
    const { disk } = this.#parts;
    const partly = (random: SeededRandom) => disk.remove(path, random.int(4));
    return this.#call({ kind: 'name', path, run: () => disk.remove(path), partly });
  }

  flushDirectory(path: string): Promise<void> {
    return this.#call({ kind: 'flush', path, run: () => this.#parts.disk.flushDirectory(path) });
  }

  async lock(): Promise<{ release(): Promise<void> }> {
    return { release: async () => {} };
  }

  #opened(path: string, inode: Inode): OpenFile {
    return {
      read: (position, into) => {
        const run = () => {
          const found = inode.bytes.subarray(position, position + into.length);
          into.set(found);
          this.#maybeFlip({ path, whole: inode.bytes }, position, into.subarray(0, found.length));
          return found.length;
        };
        return this.#call({ kind: 'read', path, run });
      },
      write: (position, chunks) => {
        const bytes = concat(chunks);
        const partly = (random: SeededRandom) =>
          inode.write(position, bytes.subarray(0, random.int(bytes.length + 1)));
        return this.#call({ kind: 'write', path, run: () => inode.write(position, bytes), partly });
      },
      flush: () => {
        const failing = (random: SeededRandom) => inode.failFlush(random);
        return this.#call({ kind: 'flush', path, run: () => inode.flush(), failing });
      },
      truncate: (sizeBytes) => this.#call({ kind: 'write', path, run: () => inode.truncate(sizeBytes) }),
      size: () => this.#call({ kind: 'name', path, run: () => inode.bytes.length }),
      close: () => Promise.resolve(),
    };
  }

  #call<T>(call: Call<T>): Promise<T> {
    const { scheduler } = this.#parts;
    return new Promise((resolve, reject) => {
      // Nobody is there to hear the answer.
      if (this.#isDead) return;
      this.#underWay.add(call);
      scheduler.after(this.#delayOf(call.kind), `${call.kind} ${call.path}`, () => {
        if (!this.#underWay.delete(call)) return;
        try {
          this.#mayFail(call);
          resolve(call.run());
        } catch (error) {
          scheduler.note(`failed: ${String(error)}`);
          reject(error as Error);
        }
      });
    });
  }

  #delayOf(kind: Kind): Millis {
    const { random, state } = this.#parts;
    const [least, most] = DELAYS[kind];
    return random.between(least, most) * state.slowness;
  }

  #mayFail({ kind, path, partly, failing = partly }: Call<unknown>): void {
    const { random, state, counters } = this.#parts;
    if (state.full && kind === 'write' && random.chance(0.7)) {
      counters.refused++;
      partly?.(random);
      throw new FileError('ENOSPC', path);
    }
    if (state.failRatio > 0 && random.chance(state.failRatio)) {
      counters.failed++;
      failing?.(random);
      throw new FileError('EIO', path);
    }
  }

  /**
   * The bit is wrong on its way, not on the device.
   * @param whole what the file that is read holds: its path may be another's by now.
   * @param position of `bytes` in the file.
   */
  #maybeFlip(
    { path, whole }: { path: string; whole: Uint8Array },
    position: number,
    bytes: Uint8Array,
  ): void {
    const { random, state, counters, scheduler } = this.#parts;
    if (state.flipRatio === 0 || bytes.length === 0 || !COVERED.test(path)) return;
    const lastFlip = counters.flipped.findLast((flip) => flip.path === path);
    if (lastFlip && scheduler.nowMs - lastFlip.atMs < RIGHT_AGAIN_MS) return;
    if (!random.chance(state.flipRatio)) return;
    let at = random.int(bytes.length);
    if (path.endsWith('.log') && random.chance(HEADER_RATIO)) {
      const header = batchAt(whole, position + at) - position + random.int(HEADER_SIZE);
      if (header >= 0 && header < bytes.length) at = header;
    }
    bytes[at] = (bytes[at] ?? 0) ^ (1 << random.int(8));
    counters.flipped.push({ path, atMs: scheduler.nowMs });
    scheduler.note(`flipped a bit of byte ${position + at} of what was read of ${path}`);
  }
}

/** Where the batch begins that holds the byte at `position`. */
function batchAt(log: Uint8Array, position: number): number {
  let start = position;
  forEachBatch(log, (header) => {
    if (header.position <= position && position < header.position + header.sizeBytes) start = header.position;
  });
  return start;
}

/** The process that would have heard of a failure is gone. */
function attempt(run: () => unknown): void {
  try {
    run();
  } catch (error) {
    if (!(error instanceof FileError)) throw error;
  }
}
