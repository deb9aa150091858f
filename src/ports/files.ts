/** A file system, as little of it as a log needs. Node gives real files, the simulator faulty ones. */
export interface Files {
  /** Opens for reading and writing; creates when `create`. Rejects with `FileError` code ENOENT, EMFILE, ENOSPC… */
  open(path: string, options?: { create?: boolean }): Promise<OpenFile>;
  /** Whole content, undefined when there is no such file. */
  readFile(path: string): Promise<Uint8Array | undefined>;
  /** Names in a directory, unordered; empty when there is none. */
  list(path: string): Promise<string[]>;
  makeDirectory(path: string): Promise<void>;
  /** Atomic within one directory. */
  rename(from: string, to: string): Promise<void>;
  /** File or directory with all in it; absent is fine. */
  remove(path: string): Promise<void>;
  /** Makes creations, renames and removals in a directory durable. */
  flushDirectory(path: string): Promise<void>;
  /**
   * Takes the directory for this process until `release`.
   * @throws when another live process holds it; the message names the process.
   */
  lock(path: string): Promise<{ release(): Promise<void> }>;
  /**
   * Memory to read into, with anything in it; new memory where it is left out. A host may use it again once it has sent
   * what was read to a client: one read, one answer.
   */
  readBuffer?(sizeBytes: number): Uint8Array;
}

export interface OpenFile {
  /** Fills `into` from `position`; returns how many bytes there were (fewer only at the end of the file). */
  read(position: number, into: Uint8Array): Promise<number>;
  /** Writes all chunks one after the other from `position`. */
  write(position: number, chunks: readonly Uint8Array[]): Promise<void>;
  /** As `write`, on the spot. @returns false when it was not done, or not wholly: `write` will do, or say why not. */
  writeNow?(position: number, chunks: readonly Uint8Array[]): boolean;
  /** Makes what was written durable (fdatasync). */
  flush(): Promise<void>;
  truncate(sizeBytes: number): Promise<void>;
  size(): Promise<number>;
  close(): Promise<void>;
}
