import type { LogKey } from '../model/ids.ts';
import { replaceFile } from './atomic-file.ts';
import { isValueName } from './layout.ts';
import type { StoreParts } from './parts.ts';

/** The small files beside one log; what waits to be written is seen at once. */
export class NamedValues {
  readonly #parts: StoreParts;
  readonly #directory: string;
  /** Undefined: waits to be deleted. */
  readonly #waiting = new Map<string, { value: Uint8Array | undefined }>();

  constructor(parts: StoreParts, directory: string) {
    this.#parts = parts;
    this.#directory = directory;
  }

  get(name: string): Promise<Uint8Array | undefined> {
    const waiting = this.#waiting.get(name);
    return waiting ? Promise.resolve(waiting.value) : this.#parts.disk.readFile(`${this.#directory}/${name}`);
  }

  async names(): Promise<readonly string[]> {
    const stored = await this.#parts.disk.list(this.#directory);
    const names = new Set(stored.filter(isValueName));
    for (const [name, { value }] of this.#waiting) {
      if (value) names.add(name);
      else names.delete(name);
    }
    return [...names];
  }

  /** Replaces or (undefined) deletes a value. @returns the work that makes it so on disk. */
  set(log: LogKey, name: string, value: Uint8Array | undefined): () => Promise<void> {
    if (name.includes('/') || !isValueName(name))
      throw new Error(`a value of ${log} cannot be named ${name}`);
    const waiting = { value };
    this.#waiting.set(name, waiting);
    return async () => {
      const path = `${this.#directory}/${name}`;
      if (value) await replaceFile(this.#parts.disk, path, value);
      else await this.#parts.disk.remove(path);
      if (this.#waiting.get(name) === waiting) this.#waiting.delete(name);
    };
  }
}
