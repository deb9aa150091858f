import { Inode } from './inode.ts';
import type { SeededRandom } from './random.ts';

type Entry = Inode | Folder;
type NameChange = { type: 'set'; name: string; entry: Entry } | { type: 'delete'; name: string };

/** A directory: names as processes see them, and as they are on the device once all `pending` have been lost. */
class Folder {
  names = new Map<string, Entry>();
  readonly #durable = new Map<string, Entry>();
  /** A rename is one change of two names: it is kept whole or not at all. */
  #pending: NameChange[][] = [];

  change(...changes: NameChange[]): void {
    for (const change of changes) apply(this.names, change);
    this.#pending.push(changes);
  }

  flush(): void {
    for (const change of this.#pending.flat()) apply(this.#durable, change);
    this.#pending = [];
  }

  /** The device may have had some of the changes that nobody flushed, in their order. */
  loseWhatWasNotFlushed(random: SeededRandom): void {
    const kept = random.int(this.#pending.length + 1);
    for (const change of this.#pending.slice(0, kept).flat()) apply(this.#durable, change);
    this.#pending = [];
    this.names = new Map(this.#durable);
    for (const entry of this.names.values()) entry.loseWhatWasNotFlushed(random);
  }
}

function apply(names: Map<string, Entry>, change: NameChange): void {
  if (change.type === 'set') names.set(change.name, change.entry);
  else names.delete(change.name);
}

export class FileError extends Error {
  override name = 'FileError';
  readonly code: string;

  constructor(code: string, path: string) {
    super(`${code}: ${path}`);
    this.code = code;
  }
}

/** A file system that promises what a real one does: contents last once flushed, names once their directory is. */
export class Disk {
  readonly #root = new Folder();

  file(path: string): Inode | undefined {
    const entry = this.#entry(path);
    return entry instanceof Inode ? entry : undefined;
  }

  /** @throws FileError when its directory is not there. */
  create(path: string): Inode {
    const inode = new Inode();
    this.#parent(path).change({ type: 'set', name: nameOf(path), entry: inode });
    return inode;
  }

  list(path: string): string[] {
    const entry = this.#entry(path);
    return entry instanceof Folder ? [...entry.names.keys()] : [];
  }

  makeDirectory(path: string): void {
    let folder = this.#root;
    for (const name of parts(path)) {
      let next = folder.names.get(name);
      if (next === undefined) {
        next = new Folder();
        folder.change({ type: 'set', name, entry: next });
      }
      if (!(next instanceof Folder)) throw new FileError('ENOTDIR', path);
      folder = next;
    }
  }

  rename(from: string, to: string): void {
    const parent = this.#parent(from);
    const entry = parent.names.get(nameOf(from));
    if (entry === undefined) throw new FileError('ENOENT', from);
    if (this.#parent(to) !== parent) throw new FileError('EXDEV', to);
    const taken = parent.names.get(nameOf(to));
    if (taken instanceof Folder && taken.names.size > 0) throw new FileError('ENOTEMPTY', to);
    parent.change({ type: 'delete', name: nameOf(from) }, { type: 'set', name: nameOf(to), entry });
  }

  /** @param most of the names in a directory: a process may die while it removes. */
  remove(path: string, most = Infinity): void {
    const entry = this.#entry(path);
    if (entry === undefined) return;
    let left = most;
    if (entry instanceof Folder) {
      for (const name of entry.names.keys()) if (left-- > 0) entry.change({ type: 'delete', name });
    }
    if (left > 0) this.#parent(path).change({ type: 'delete', name: nameOf(path) });
  }

  flushDirectory(path: string): void {
    const entry = this.#entry(path);
    if (!(entry instanceof Folder)) throw new FileError('ENOENT', path);
    entry.flush();
  }

  cutPower(random: SeededRandom): void {
    this.#root.loseWhatWasNotFlushed(random);
  }

  /** Every file by its path, in the order of the paths. */
  files(): [path: string, inode: Inode][] {
    const found: [string, Inode][] = [];
    const visit = (folder: Folder, prefix: string) => {
      for (const [name, entry] of folder.names) {
        if (entry instanceof Inode) found.push([`${prefix}/${name}`, entry]);
        else visit(entry, `${prefix}/${name}`);
      }
    };
    visit(this.#root, '');
    return found.sort(([a], [b]) => (a < b ? -1 : 1));
  }

  #entry(path: string): Entry | undefined {
    let entry: Entry | undefined = this.#root;
    for (const name of parts(path)) entry = entry instanceof Folder ? entry.names.get(name) : undefined;
    return entry;
  }

  #parent(path: string): Folder {
    const parent = this.#entry(path.slice(0, path.lastIndexOf('/')));
    if (!(parent instanceof Folder)) throw new FileError('ENOENT', path);
    return parent;
  }
}

function parts(path: string): string[] {
  return path.split('/').filter((part) => part !== '');
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
