import { CliError, EXIT, JSON_VERSION } from '../errors.ts';
import { ask } from './ask.ts';
import { Output } from './output.ts';
import { printable } from './printable.ts';
import { Progress } from './progress.ts';
import { type Cell, type Column, styled, table, tabSeparated } from './table.ts';

export interface ReportOptions {
  json: boolean;
  quiet: boolean;
  verbose: boolean;
  /** `--yes`: what would be asked is granted. */
  yes: boolean;
  /** Not `--no-input`. */
  mayAsk: boolean;
}

/**
 * The one way out of a command. Data goes to stdout: as a table on a terminal, as plain lines in a pipe, as a document
 * with `--json`. All else goes to stderr.
 */
export class Report {
  readonly json: boolean;
  readonly #options: ReportOptions;
  #output: Output | undefined;

  constructor(options: ReportOptions) {
    this.#options = options;
    this.json = options.json;
  }

  /** stdout, for what is written as it comes, no faster than it is read: NDJSON, lines, bytes. */
  get output(): Output {
    this.#output ??= new Output(process.stdout);
    return this.#output;
  }

  /** The least that a log says. */
  get level(): 'debug' | 'warn' | 'error' {
    if (this.#options.verbose) return 'debug';
    return this.#options.quiet ? 'error' : 'warn';
  }

  /** A list. With `--json` it is `{"version":1,"<name>":[…]}`, each row as it is. */
  list<T extends object>(name: string, rows: readonly T[], columns: readonly Column<T>[]): void {
    if (this.json) return this.#document({ [name]: rows });
    if (!process.stdout.isTTY) return print(rows.length === 0 ? '' : `${tabSeparated(columns, rows)}\n`);
    if (rows.length === 0) return this.note(`no ${name}`);
    print(`${table(columns, rows, { width: process.stdout.columns, colour: hasColours(process.stdout) })}\n`);
  }

  /** One thing: with `--json` the document with `version` before it, else a line a fact. */
  facts(document: object, facts: readonly (readonly [name: string, value: Cell])[]): void {
    if (this.json) return this.#document(document);
    const shown = facts.map(([name, value]) => [name, printable(String(value ?? ''))] as const);
    const isTerminal = process.stdout.isTTY;
    const width = isTerminal ? Math.max(0, ...shown.map(([name]) => name.length)) : 0;
    print(
      shown.map(([name, value]) => `${name.padEnd(width)}${isTerminal ? '  ' : '\t'}${value}\n`).join(''),
    );
  }

  /** A document whose text is of its own kind. */
  text(document: object, text: () => string): void {
    if (this.json) return this.#document(document);
    print(`${text()}\n`);
  }

  /** What is shown next comes in place of what was: on a terminal, where somebody watches. */
  clear(): void {
    if (process.stdout.isTTY && !this.json) print('\u{1b}[H\u{1b}[J');
  }

  /** What was done, or is about to be: for people. With `--json` nobody reads it. */
  note(text: string): void {
    if (!this.#options.quiet && !this.json) complain(`${text}\n`);
  }

  /** What only `--verbose` tells. */
  detail(text: string): void {
    if (this.#options.verbose) complain(`${text}\n`);
  }

  warn(text: string): void {
    if (this.#options.quiet) return;
    if (this.json) return complain(`${JSON.stringify({ version: JSON_VERSION, warning: text })}\n`);
    complain(`${hasColours(process.stderr) ? styled('yellow', 'warning') : 'warning'}: ${text}\n`);
  }

  /** Shown on a terminal only. @param what was done to the records, in the past tense. */
  progress(what: string): Progress {
    return new Progress(what, this.#options.quiet || this.json);
  }

  /**
   * Before what cannot be undone. @param question such as `delete topic orders with 1,200 records?`
   * @throws CliError when the answer is no, or nobody can be asked.
   */
  async confirm(question: string): Promise<void> {
    const { yes, mayAsk } = this.#options;
    if (yes) return;
    if (!mayAsk || this.json || !process.stdin.isTTY || !process.stderr.isTTY)
      throw new CliError(EXIT.usage, 'NOT_CONFIRMED', question, 'add --yes to do it without being asked');
    if (!(await ask(question)))
      throw new CliError(EXIT.failure, 'NOT_CONFIRMED', 'not confirmed: nothing was done');
  }

  #document(body: object): void {
    print(`${JSON.stringify({ version: JSON_VERSION, ...body }, null, process.stdout.isTTY ? 2 : 0)}\n`);
  }
}

/** Also where `NO_COLOR`, `FORCE_COLOR` and the like are looked at. */
export function hasColours(stream: NodeJS.WriteStream): boolean {
  if (process.env['NO_COLOR']) return false;
  return stream.isTTY && stream.hasColors();
}

function print(text: string): void {
  process.stdout.write(text);
}

function complain(text: string): void {
  process.stderr.write(text);
}
