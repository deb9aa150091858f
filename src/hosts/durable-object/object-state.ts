import type { Placement } from './placement.ts';
import type { SqlDatabase } from './sql.ts';

/** A Durable Object's storage, as far as a shard's host needs it: `ctx.storage` is one. */
export interface ObjectStorage extends SqlDatabase {
  readonly sql: SqlDatabase['sql'] & {
    /** Of all that is in it. */
    readonly databaseSize: number;
  };
  getAlarm(): Promise<number | null>;
  setAlarm(atMs: number): unknown;
  /** Everything, the alarm too. */
  deleteAll(): Promise<void>;
}

const TABLES = [
  'CREATE TABLE IF NOT EXISTS host (name TEXT PRIMARY KEY, value BLOB) WITHOUT ROWID',
  'CREATE TABLE IF NOT EXISTS drops (shard TEXT PRIMARY KEY) WITHOUT ROWID',
  'CREATE TABLE IF NOT EXISTS relays (name TEXT PRIMARY KEY) WITHOUT ROWID',
];
const FENCE = 'fence';
const METADATA = 'metadata';
/** A row holds 2 MB; what is larger is asked for at each wake. */
const VALUE_MAX_BYTES = 1_900_000;

interface Drop {
  /** As it is stored. */
  readonly text: string;
  readonly shard: string;
  readonly placement: Placement;
}

/** What the host of a shard remembers beside its log, in the same database. */
export class ObjectState {
  readonly #sql: SqlDatabase['sql'];
  readonly #instance: Uint8Array;
  #isOurs = false;

  /** @param instance an id of this instance of the object; another has another. */
  constructor({ sql }: SqlDatabase, instance: string) {
    this.#sql = sql;
    this.#instance = new TextEncoder().encode(instance);
    for (const table of TABLES) sql.exec(table);
  }

  /**
   * Part of every transaction that writes to the log: the first one of an instance takes the log over, and from then on
   * no other writes to it. @throws when another has.
   */
  checkFence(): void {
    if (!this.#isOurs) this.#put(FENCE, this.#instance);
    else if (!sameText(this.#get(FENCE), this.#instance))
      throw new Error('another instance of this object has taken over its log');
    this.#isOurs = true;
  }

  /** Asks the database, so that the platform can refuse an instance that was replaced. */
  touch(): void {
    this.#get(FENCE);
  }

  /** What the metadata said of this shard when it was last asked. */
  get metadata(): Uint8Array | undefined {
    return this.#get(METADATA);
  }

  keepMetadata(bytes: Uint8Array): void {
    if (bytes.length <= VALUE_MAX_BYTES) this.#put(METADATA, bytes);
    else this.#sql.exec('DELETE FROM host WHERE name = ?', METADATA);
  }

  /** Objects whose shard was deleted, and that do not know it yet. */
  get drops(): Drop[] {
    return this.#sql
      .exec<{ shard: string }>('SELECT shard FROM drops')
      .toArray()
      .map(({ shard: text }) => {
        const [shard = '', jurisdiction] = text.split(' ');
        return { text, shard, placement: jurisdiction === undefined ? {} : { jurisdiction } };
      });
  }

  addDrop(shard: string, jurisdiction: string | undefined): void {
    const text = jurisdiction === undefined ? shard : `${shard} ${jurisdiction}`;
    this.#sql.exec('INSERT OR IGNORE INTO drops (shard) VALUES (?)', text);
  }

  removeDrop({ text }: Drop): void {
    this.#sql.exec('DELETE FROM drops WHERE shard = ?', text);
  }

  /** Relays that this shard hands over to. */
  get relays(): string[] {
    return this.#sql
      .exec<{ name: string }>('SELECT name FROM relays')
      .toArray()
      .map(({ name }) => name);
  }

  addRelay(name: string): void {
    this.#sql.exec('INSERT OR IGNORE INTO relays (name) VALUES (?)', name);
  }

  removeRelay(name: string): void {
    this.#sql.exec('DELETE FROM relays WHERE name = ?', name);
  }

  #get(name: string): Uint8Array | undefined {
    const [row] = this.#sql
      .exec<{ value: ArrayBuffer }>('SELECT value FROM host WHERE name = ?', name)
      .toArray();
    return row && new Uint8Array(row.value);
  }

  #put(name: string, value: Uint8Array): void {
    this.#sql.exec('INSERT OR REPLACE INTO host (name, value) VALUES (?, ?)', name, value);
  }
}

function sameText(a: Uint8Array | undefined, b: Uint8Array): boolean {
  return a?.length === b.length && a.every((byte, at) => byte === b[at]);
}
