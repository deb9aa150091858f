import { type ArgsDef, type ParsedArgs, parseArgs, renderUsage } from 'citty';
import { stripVTControlCharacters } from 'node:util';
import { canonical, everyValue } from './options.ts';
import { hasColours, Report } from './terminal/report.ts';
import { untilInterrupted } from './until-interrupted.ts';

/** What every command takes. */
const COMMON = {
  json: { type: 'boolean', description: 'JSON: one document, or a line a record' },
  quiet: { type: 'boolean', alias: 'q', description: 'Say nothing but data and errors' },
  verbose: { type: 'boolean', alias: 'v', description: 'Say more, on stderr' },
  yes: { type: 'boolean', alias: 'y', description: 'Do not ask before what cannot be undone' },
  input: { type: 'boolean', default: true, negativeDescription: 'Never ask: fail instead' },
} satisfies ArgsDef;

/** What a word or a value of an option names, for completion in a shell. */
export type Completes = 'topic' | 'group' | 'context' | 'file' | readonly string[];

export interface CommandSpec<A extends ArgsDef> {
  /** As it is typed after `milena`: `topics ls`. */
  name: string;
  description: string;
  args: A;
  /** The last word may come many times: they are all in `words`. */
  hasMany?: boolean;
  completes?: { readonly [name in keyof A]?: Completes };
  /** @throws CliError, or what the client throws: either way it comes out as one error with its exit code. */
  run(given: Invocation<A>): Promise<void> | void;
}

/** A command as it was called. */
export interface Invocation<A extends ArgsDef> {
  args: ParsedArgs<A & typeof COMMON>;
  /** All words, whatever they are called. */
  words: readonly string[];
  /** Canonical: see `everyValue`. */
  rawArgs: readonly string[];
  /** Every value of an option that may come many times. */
  readonly every: (name: keyof A & string) => string[];
  report: Report;
  /**
   * Aborted by Ctrl-C and SIGTERM. Who takes it has {@link untilInterrupted}'s grace to stop in order; a command that
   * does not is ended by them at once.
   */
  readonly signal: AbortSignal;
}

/** A command, as the tree has it. */
export interface Command {
  readonly args: ArgsDef;
  readonly completes: { readonly [name: string]: Completes | undefined };
  readonly hasMany: boolean;
  usage(): Promise<string>;
  run(rawArgs: readonly string[]): Promise<void>;
}

/** Makes a command: the same options, output and errors for all. */
export function command<const A extends ArgsDef>(spec: CommandSpec<A>): Command {
  const args = { ...spec.args, ...COMMON };
  const { hasMany = false, completes = {} } = spec;
  return {
    args,
    completes,
    hasMany,
    async usage() {
      const meta = { name: `milena ${spec.name}`, description: spec.description };
      const coloured = await renderUsage({ meta, args: asTyped(args) });
      const text = hasColours(process.stdout) ? coloured : stripVTControlCharacters(coloured);
      // What is so anyway need not be given.
      const isSaid = (line: string) => !/^\s+--input\s/.test(stripVTControlCharacters(line));
      return text
        .split('\n')
        .filter(isSaid)
        .map((line) => line.trimEnd())
        .join('\n');
    },
    async run(given) {
      const rawArgs = canonical(given, args, { hasMany });
      const parsed = parseArgs<A & typeof COMMON>(rawArgs, args);
      const report = reportOf(parsed);
      await spec.run({
        args: parsed,
        words: parsed._,
        rawArgs,
        every: (name) => everyValue(rawArgs, name),
        report,
        get signal() {
          return untilInterrupted();
        },
      });
    },
  };
}

/** citty puts one dash before an alias, whatever it is. */
function asTyped(args: ArgsDef): ArgsDef {
  const typed = (alias: string) => (alias.length > 1 ? `-${alias}` : alias);
  return Object.fromEntries(
    Object.entries(args).map(([name, arg]) => {
      if (!('alias' in arg) || arg.alias === undefined) return [name, arg];
      return [name, { ...arg, alias: [arg.alias].flat().map(typed) }];
    }),
  );
}

/** Of {@link COMMON}, whatever else a command takes. */
function reportOf(given: { readonly [name: string]: unknown }): Report {
  const isSet = (name: keyof typeof COMMON) => given[name] === true;
  return new Report({
    json: isSet('json'),
    quiet: isSet('quiet'),
    verbose: isSet('verbose'),
    yes: isSet('yes'),
    mayAsk: isSet('input'),
  });
}
