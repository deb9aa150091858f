import { expect, test } from 'vitest';
import type { OpenFile } from '../../src/ports/files.ts';
import type { LogWrite } from '../../src/ports/log-store.ts';
import { appends } from '../storage/batches.ts';
import { MemoryFiles } from '../storage/memory-files.ts';
import { ALL, create, log } from './crashed.ts';
import { openStore } from './open.ts';

/** A write of batches that is told when to go on. */
interface Held {
  bytes: number;
  release: () => void;
}

/** A disk that writes batches when it is told to. */
class SlowWrites extends MemoryFiles {
  readonly held: Held[] = [];
  isSlow = false;

  override async open(path: string, options?: { create?: boolean }): Promise<OpenFile> {
    const file = await super.open(path, options);
    if (!path.endsWith('.log')) return file;
    const write = file.write.bind(file);
    file.write = async (position, chunks) => {
      if (this.isSlow) await this.#released(chunks);
      return write(position, chunks);
    };
    return file;
  }

  #released(chunks: readonly Uint8Array[]): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.held.push({ bytes: chunks.reduce((sum, { length }) => sum + length, 0), release: resolve });
    return promise;
  }

  async next(): Promise<Held> {
    // Everything but the gate is in memory: a turn or two of the loop.
    while (this.held.length === 0) await new Promise(setImmediate);
    return this.held.shift()!;
  }
}

test.each<[string, LogWrite[]]>([
  ['batches', []],
  ['batches behind a cut', [{ type: 'truncate', log, toOffset: 1 }]],
])('%s are acknowledged once they are written, whatever comes while they are', async (_, before) => {
  const files = new SlowWrites();
  const store = await openStore(files, { flush: 'never' });
  await store.commit([create, ...appends(log, 0, 1)]);
  files.isSlow = true;
  const first = store.commit([...before, ...appends(log, 1, 3)]);
  const writing = await files.next();
  const second = store.commit(appends(log, 3, 4));
  writing.release();
  await first;
  const rest = await files.next();
  expect(rest.bytes).toBeLessThan(writing.bytes);
  rest.release();
  await second;
  expect((await store.read(log, ALL)).length).toBeGreaterThan(writing.bytes + rest.bytes);
  await store.close();
});
