import type { Kernels } from '../kernels/kernels.ts';
import type { Files } from '../ports/files.ts';
import type { FileCache } from './file-cache.ts';
import type { IndexCache } from './index-cache.ts';
import type { OffsetCheckpoint } from './offset-checkpoint.ts';
import type { ReadGate } from './read-gate.ts';
import type { RetiredFiles } from './retired-files.ts';
import type { Tail } from './tail.ts';

/** What all logs of one store share. */
export interface StoreParts {
  /** The data directory. */
  root: string;
  disk: Files;
  files: FileCache;
  cache: IndexCache;
  tail: Tail;
  reads: ReadGate;
  kernels: Kernels;
  /** Whether a round flushes what it wrote before it is done. */
  flushes: boolean;
  indexIntervalBytes: number;
  /** Below them logs are durable and checked, indexes included. */
  recoveryPoints: OffsetCheckpoint;
  logStarts: OffsetCheckpoint;
  /** Log files of which a flush failed: the system may take for written what is not (see `flushFile`). */
  suspects: Set<string>;
  retired: RetiredFiles;
  warn: (message: string) => void;
  /** Takes care of work no caller waits for: its failure is a warning, and `close` waits for it. */
  background(work: Promise<void>): void;
  /** A name came or went in the data directory: the round flushes it before it is done. */
  rootChanged(): void;
}
