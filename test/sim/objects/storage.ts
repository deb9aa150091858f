import { DatabaseSync, type StatementSync } from 'node:sqlite';
import type { ObjectStorage } from '../../../src/hosts/durable-object/object-state.ts';
import type { SqlBinding, SqlCursor, SqlValue } from '../../../src/hosts/durable-object/sql.ts';
import type { SeededRandom } from '../../../src/hosts/sim/random.ts';
import type { Scheduler } from '../../../src/hosts/sim/scheduler.ts';

/** What an instance gets from a database that is another's by now. */
export class Replaced extends Error {
  override name = 'Replaced';
}

interface Turn {
  number: number;
  isConfirmed: boolean;
}

const CONFIRM_MS: [least: number, most: number] = [1, 15];

/**
 * An object's storage as the platform has it: what is written without an await in between is one turn; turns are
 * confirmed later, in their order, and nothing leaves the object before those before it are. A crash takes turns that
 * were not confirmed, newest first.
 */
export class SimStorage {
  readonly #scheduler: Scheduler;
  readonly #random: SeededRandom;
  readonly #database = new DatabaseSync(':memory:');
  #statements = new Map<string, StatementSync>();
  /** Whose savepoints are open, oldest first. */
  #turns: Turn[] = [];
  #isTurnOpen = false;
  #lastTurn = 0;
  #confirmAtMs = 0;
  #gated: { turn: number; go: () => void }[] = [];
  /** Times as slow. */
  slowness = 1;
  alarmAtMs: number | null = null;
  onAlarm: () => void = () => {};
  /** A planted bug: nothing waits for the writes before it. */
  hasNoGate = false;

  constructor(scheduler: Scheduler, random: SeededRandom) {
    this.#scheduler = scheduler;
    this.#random = random;
  }

  /** One instance's view. @param isCurrent whether the platform lets it. */
  viewOf(isCurrent: () => boolean): ObjectStorage {
    const check = () => {
      if (!isCurrent()) throw new Replaced('this instance was replaced');
    };
    const sizeBytes = () => this.#sizeBytes();
    return {
      sql: {
        exec: (query, ...bindings) => {
          check();
          return this.#exec(query, bindings) as SqlCursor<never>;
        },
        get databaseSize() {
          check();
          return sizeBytes();
        },
      },
      transactionSync: (work) => {
        check();
        return this.#transaction(work);
      },
      getAlarm: async () => this.alarmAtMs,
      setAlarm: (atMs) => {
        check();
        this.alarmAtMs = atMs;
        this.onAlarm();
      },
      deleteAll: async () => {
        check();
        const tables = this.#database.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").all();
        for (const { name } of tables) this.#exec(`DROP TABLE ${String(name)}`, []);
        this.alarmAtMs = null;
        this.onAlarm();
      },
    };
  }

  /** Calls back once all that was written is confirmed; at once when it is. */
  gate(go: () => void): void {
    const last = this.#turns.at(-1);
    if (last === undefined || last.isConfirmed || this.hasNoGate) go();
    else this.#gated.push({ turn: last.number, go });
  }

  get isIdle(): boolean {
    return this.#gated.length === 0 && this.#turns.length === 0;
  }

  /** The instance is gone at this moment: some of what was not confirmed is lost, and all that waited for it. */
  crash(): void {
    this.#gated = [];
    const first = this.#turns.findIndex(({ isConfirmed }) => !isConfirmed);
    if (first >= 0) {
      const kept = first + this.#random.int(this.#turns.length - first + 1);
      const lost = this.#turns[kept];
      if (lost !== undefined) this.#run(`ROLLBACK TO turn_${lost.number}`);
    }
    this.#end();
  }

  #end(): void {
    if (this.#turns.length > 0) this.#run('COMMIT');
    this.#turns = [];
    this.#isTurnOpen = false;
    this.#statements = new Map();
  }

  #begin(): void {
    if (this.#isTurnOpen) return;
    if (this.#turns.length === 0) this.#run('BEGIN');
    const turn: Turn = { number: ++this.#lastTurn, isConfirmed: false };
    this.#run(`SAVEPOINT turn_${turn.number}`);
    this.#turns.push(turn);
    this.#isTurnOpen = true;
    queueMicrotask(() => this.#close(turn));
  }

  #close(turn: Turn): void {
    if (!this.#turns.includes(turn)) return;
    this.#isTurnOpen = false;
    const { nowMs } = this.#scheduler;
    this.#confirmAtMs = Math.max(
      this.#confirmAtMs,
      nowMs + this.#random.between(...CONFIRM_MS) * this.slowness,
    );
    this.#scheduler.schedule(this.#confirmAtMs, 'confirmed', () => this.#confirmed(turn));
  }

  #confirmed(turn: Turn): void {
    if (!this.#turns.includes(turn)) return;
    turn.isConfirmed = true;
    if (this.#turns.every(({ isConfirmed }) => isConfirmed)) this.#end();
    const through = this.#gated.filter((gated) => gated.turn <= turn.number);
    this.#gated = this.#gated.filter((gated) => gated.turn > turn.number);
    for (const { go } of through) go();
  }

  #transaction<T>(work: () => T): T {
    this.#begin();
    this.#run('SAVEPOINT work');
    try {
      const result = work();
      this.#run('RELEASE work');
      return result;
    } catch (error) {
      this.#run('ROLLBACK TO work');
      this.#run('RELEASE work');
      throw error;
    }
  }

  #exec(query: string, bindings: readonly SqlBinding[]): SqlCursor<Record<string, SqlValue>> {
    let statement = this.#statements.get(query);
    if (statement === undefined) this.#statements.set(query, (statement = this.#database.prepare(query)));
    if (!query.trimStart().startsWith('SELECT')) {
      this.#begin();
      statement.run(...bindings);
      return cursorOf([]);
    }
    return cursorOf(statement.all(...bindings).map(asRow));
  }

  #run(statement: string): void {
    this.#database.exec(statement);
  }

  #sizeBytes(): number {
    const query = 'SELECT page_count * page_size AS size FROM pragma_page_count, pragma_page_size';
    return Number(this.#database.prepare(query).get()?.['size']);
  }

  close(): void {
    this.#database.close();
  }
}

function cursorOf<Row>(rows: Row[]): SqlCursor<Row> {
  return { toArray: () => rows, [Symbol.iterator]: () => rows.values() };
}

/** A blob comes as a buffer of its own. */
function asRow(row: Record<string, unknown>): Record<string, SqlValue> {
  const copy: Record<string, SqlValue> = {};
  for (const [name, value] of Object.entries(row))
    copy[name] = value instanceof Uint8Array ? value.slice().buffer : (value as SqlValue);
  return copy;
}
