import type { Files, OpenFile } from '../../src/ports/files.ts';

/** One file: what a process sees, and what is left of it after a power cut. */
class MemoryFile {
  bytes = new Uint8Array(0);
  durable = new Uint8Array(0);

  flush(): void {
    this.durable = this.bytes.slice();
  }
}

/** Thrown by whatever is called after the crash, and by calls that were planned to fail. */
export class DiskFault extends Error {
  override name = 'DiskFault';
}

export type DiskCall =
  | 'write'
  | 'flush'
  | 'truncate'
  | 'rename'
  | 'remove'
  | 'flushDirectory'
  | 'makeDirectory'
  | 'create';

/**
 * Files in memory that fail on demand. Names are durable once their directory is flushed, contents once their file is.
 * `crash` gives the disk that the next process finds.
 */
export class MemoryFiles implements Files {
  /** What changes the disk, counted: tests stop at each of these. */
  calls = 0;
  /** From this call on nothing happens any more, and if it is a write, half of it does: the process is dead. */
  diesAtCall = Infinity;
  isDead = false;
  /** Called before each change; a throw makes the call fail. */
  fault: (call: DiskCall, path: string) => void = () => {};
  /** Called with what each read gives, to change it on its way. */
  onRead: (path: string, position: number, bytes: Uint8Array) => void = () => {};
  /** Whether writes are made on the spot for those who ask, as by a host whose disk is not behind. */
  writesNow = false;
  #files = new Map<string, MemoryFile>();
  #directories = new Set<string>(['']);
  /** Names as they are on disk. */
  #durableFiles = new Map<string, MemoryFile>();
  #durableDirectories = new Set<string>(['']);
  readonly #locks = new Set<string>();

  /**
   * The disk as the next process finds it: `power` loses all that was not flushed; else that is there, and still not on
   * the device.
   */
  crash({ power }: { power: boolean }): MemoryFiles {
    const next = new MemoryFiles();
    next.writesNow = this.writesNow;
    const copies = new Map<MemoryFile, MemoryFile>();
    const copyOf = (file: MemoryFile): MemoryFile => {
      const copy = copies.get(file) ?? new MemoryFile();
      copies.set(file, copy);
      copy.bytes = (power ? file.durable : file.bytes).slice();
      copy.durable = file.durable.slice();
      return copy;
    };
    for (const [path, file] of this.#durableFiles)
      if (!power || this.#durableDirectories.has(parentOf(path))) next.#durableFiles.set(path, copyOf(file));
    const files = power ? next.#durableFiles : this.#files;
    for (const [path, file] of files) next.#files.set(path, power ? file : copyOf(file));
    next.#durableDirectories = new Set(this.#durableDirectories);
    next.#directories = new Set(power ? this.#durableDirectories : this.#directories);
    return next;
  }

  /** Makes all there is durable. */
  sync(): void {
    for (const file of this.#files.values()) file.flush();
    this.#durableFiles = new Map(this.#files);
    this.#durableDirectories = new Set(this.#directories);
  }

  /** The bytes of a file, to look at and to damage. */
  bytes(path: string): Uint8Array {
    return this.#file(path).bytes;
  }

  replace(path: string, bytes: Uint8Array): void {
    const file = this.#file(path);
    file.bytes = bytes.slice();
    file.flush();
  }

  paths(): string[] {
    return [...this.#files.keys()].sort();
  }

  async open(path: string, { create = false }: { create?: boolean } = {}): Promise<OpenFile> {
    let file = this.#files.get(path);
    if (!file && create) {
      this.#change('create', path);
      this.#requireDirectory(parentOf(path));
      file = new MemoryFile();
      this.#files.set(path, file);
    }
    if (!file) throw absent(path);
    return this.#opened(path, file);
  }

  async readFile(path: string): Promise<Uint8Array | undefined> {
    const bytes = this.#files.get(path)?.bytes.slice();
    if (bytes) this.onRead(path, 0, bytes);
    return bytes;
  }

  async list(path: string): Promise<string[]> {
    const names = new Set<string>();
    for (const held of [...this.#files.keys(), ...this.#directories]) {
      if (held.startsWith(`${path}/`)) names.add(held.slice(path.length + 1).split('/')[0] ?? '');
    }
    return [...names];
  }

  async makeDirectory(path: string): Promise<void> {
    if (this.#directories.has(path)) return;
    this.#change('makeDirectory', path);
    if (parentOf(path) !== '') await this.makeDirectory(parentOf(path));
    this.#directories.add(path);
  }

  async rename(from: string, to: string): Promise<void> {
    this.#change('rename', from);
    const file = this.#files.get(from);
    if (file) {
      this.#files.delete(from);
      this.#files.set(to, file);
      return;
    }
    if (!this.#directories.has(from)) throw absent(from);
    move(this.#files, from, to);
    // Nothing that is durable leads to it yet: what it durably holds goes along.
    if (!this.#durableDirectories.has(from)) move(this.#durableFiles, from, to);
    this.#directories.delete(from);
    this.#directories.add(to);
  }

  async remove(path: string): Promise<void> {
    this.#change('remove', path);
    this.#files.delete(path);
    this.#directories.delete(path);
    forget(this.#files, path);
    if (!this.#durableDirectories.has(path)) forget(this.#durableFiles, path);
  }

  async flushDirectory(given: string): Promise<void> {
    const path = given === '/' ? '' : given;
    this.#requireDirectory(path);
    this.#change('flushDirectory', path);
    const isIn = (name: string) => parentOf(name) === path;
    const directories = [...this.#durableDirectories].filter(
      (name) => isIn(name) && !this.#directories.has(name),
    );
    for (const gone of directories) {
      this.#durableDirectories.delete(gone);
      forget(this.#durableFiles, gone);
    }
    for (const name of this.#directories) if (isIn(name)) this.#makeDurable(name);
    for (const name of this.#durableFiles.keys()) if (isIn(name)) this.#durableFiles.delete(name);
    for (const [name, file] of this.#files) if (isIn(name)) this.#durableFiles.set(name, file);
  }

  async lock(path: string): Promise<{ release(): Promise<void> }> {
    if (this.#locks.has(path)) throw new Error(`${path} is in use`);
    this.#locks.add(path);
    return {
      release: async () => {
        this.#locks.delete(path);
      },
    };
  }

  #opened(path: string, file: MemoryFile): OpenFile {
    const write = (start: number, chunks: readonly Uint8Array[]) => {
      let position = start;
      for (const chunk of chunks) {
        if (this.calls >= this.diesAtCall && !this.isDead)
          file.bytes = written(file.bytes, position, chunk.subarray(0, chunk.length / 2));
        this.#change('write', path);
        file.bytes = written(file.bytes, position, chunk);
        position += chunk.length;
      }
    };
    return {
      read: async (position, into) => {
        const found = file.bytes.subarray(position, position + into.length);
        into.set(found);
        this.onRead(path, position, into.subarray(0, found.length));
        return found.length;
      },
      write: async (position, chunks) => write(position, chunks),
      writeNow: (position, chunks) => {
        if (!this.writesNow) return false;
        try {
          write(position, chunks);
          return true;
        } catch {
          return false;
        }
      },
      flush: async () => {
        this.#change('flush', path);
        file.flush();
      },
      truncate: async (sizeBytes) => {
        this.#change('truncate', path);
        const bytes = new Uint8Array(sizeBytes);
        bytes.set(file.bytes.subarray(0, sizeBytes));
        file.bytes = bytes;
      },
      size: async () => file.bytes.length,
      close: async () => {},
    };
  }

  /** A directory that was renamed takes what it durably held along. */
  #makeDurable(directory: string): void {
    if (this.#durableDirectories.has(directory)) return;
    this.#durableDirectories.add(directory);
    for (const [name, file] of this.#files) {
      const wasDurable = [...this.#durableFiles.values()].includes(file);
      if (name.startsWith(`${directory}/`) && wasDurable) this.#durableFiles.set(name, file);
    }
  }

  #change(call: DiskCall, path: string): void {
    if (this.calls >= this.diesAtCall) {
      this.isDead = true;
      throw new DiskFault('the process is dead');
    }
    this.calls++;
    this.fault(call, path);
  }

  #file(path: string): MemoryFile {
    const file = this.#files.get(path);
    if (!file) throw absent(path);
    return file;
  }

  #requireDirectory(path: string): void {
    if (!this.#directories.has(path)) throw absent(path);
  }
}

function written(bytes: Uint8Array, position: number, chunk: Uint8Array): Uint8Array<ArrayBuffer> {
  const next = new Uint8Array(Math.max(bytes.length, position + chunk.length));
  next.set(bytes);
  next.set(chunk, position);
  return next;
}

function move(files: Map<string, MemoryFile>, from: string, to: string): void {
  const moved = [...files].filter(([path]) => path.startsWith(`${from}/`));
  for (const [path, file] of moved) {
    files.delete(path);
    files.set(to + path.slice(from.length), file);
  }
}

function forget(files: Map<string, MemoryFile>, directory: string): void {
  for (const path of files.keys()) if (path.startsWith(`${directory}/`)) files.delete(path);
}

function parentOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('/')));
}

function absent(path: string): Error {
  return Object.assign(new Error(`ENOENT: ${path}`), { code: 'ENOENT' });
}
