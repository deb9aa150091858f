import type { LogKey } from '../../model/ids.ts';
import type { Database } from './database.ts';
import type { Round } from './rounds.ts';

/** The values beside one log; what waits to be written is seen at once. */
export class NamedValues {
  readonly #log: LogKey;
  readonly #database: Database;
  /** Undefined: waits to be deleted. */
  readonly #waiting = new Map<string, { value: Uint8Array | undefined }>();

  constructor(log: LogKey, database: Database) {
    this.#log = log;
    this.#database = database;
  }

  async get(name: string): Promise<Uint8Array | undefined> {
    const waiting = this.#waiting.get(name);
    return waiting ? waiting.value : this.#database.value(this.#log, name);
  }

  async names(): Promise<readonly string[]> {
    const names = new Set(await this.#database.valueNames(this.#log));
    for (const [name, { value }] of this.#waiting) {
      if (value) names.add(name);
      else names.delete(name);
    }
    return [...names];
  }

  /** Replaces or (undefined) deletes a value. */
  set(name: string, value: Uint8Array | undefined, round: Round): void {
    const key = [this.#log, name];
    // A view would bring all of its buffer along.
    const stored = value?.slice();
    const waiting = { value: stored };
    this.#waiting.set(name, waiting);
    round.bytes += stored?.length ?? 0;
    round.writes.push(
      stored
        ? { type: 'put', store: 'values', key, value: () => stored }
        : { type: 'delete', store: 'values', key },
    );
    round.whenDone.push(() => {
      if (this.#waiting.get(name) === waiting) this.#waiting.delete(name);
    });
  }
}
