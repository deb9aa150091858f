import type { Command, Completes } from '../command.ts';
import { type Branch, find, visible } from '../tree.ts';
import { aliasesOf } from '../options.ts';

export interface Candidate {
  value: string;
  description?: string | undefined;
}

/** Where names come from that are not in the tree. */
export interface Names {
  /** @param options as far as they are given: they may say which broker is asked. */
  of(
    kind: 'topic' | 'group' | 'context',
    options: ReadonlyMap<string, string>,
  ): Promise<readonly Candidate[]>;
}

/** What may stand where the last word stands; it may be begun. Loads the one command that the words lead to. */
export async function candidatesFor(
  root: Branch,
  words: readonly string[],
  names: Names,
): Promise<Candidate[]> {
  const current = words.at(-1) ?? '';
  const { node, rest } = find(root, words.slice(0, -1));
  if (!('commands' in node)) return inCommand(await node.load(), { given: rest, current, names });
  if (rest.length > 0) return [];
  const all = visible(node).map(([value, { description }]) => ({ value, description }));
  return starting(current, all);
}

interface Place {
  /** Words of the command before the one under the cursor. */
  given: readonly string[];
  current: string;
  names: Names;
}

async function inCommand(command: Command, { given, current, names }: Place): Promise<Candidate[]> {
  const read = readGiven(command, joined(given));
  const values = (name: string) => valuesOf(command, name, { options: read.options, names });
  if (given.at(-1) === '=') return starting(current, await values(read.named ?? ''));
  if (read.awaited !== undefined) return starting(current, await values(read.awaited));
  if (read.isWordsOnly || !current.startsWith('-'))
    return starting(current, await values(read.nextWord ?? ''));
  const [, option, begun] = /^--([^=]+)=(.*)$/.exec(current) ?? [];
  if (option === undefined || begun === undefined) return starting(current, optionsOf(command));
  const found = starting(begun, await values(option));
  return found.map(({ value, description }) => ({ value: `--${option}=${value}`, description }));
}

/** bash breaks words at `=`. */
function joined(words: readonly string[]): string[] {
  const whole: string[] = [];
  for (const [at, word] of words.entries()) {
    const isAfter = words[at - 1] === '=' || word === '=';
    if (isAfter && whole.length > 0 && whole.at(-1)?.startsWith('--')) whole.push(`${whole.pop()}${word}`);
    else whole.push(word);
  }
  return whole;
}

interface Read {
  options: Map<string, string>;
  /** The option whose value comes next. */
  awaited: string | undefined;
  /** The option that was named last. */
  named: string | undefined;
  /** What the next word is called. */
  nextWord: string | undefined;
  isWordsOnly: boolean;
}

function readGiven({ args, hasMany }: Command, given: readonly string[]): Read {
  const aliases = new Map(
    Object.entries(args).flatMap(([name, arg]) => aliasesOf(arg).map((alias) => [alias, name] as const)),
  );
  const options = new Map<string, string>();
  let [awaited, named]: (string | undefined)[] = [];
  let words = 0;
  let isWordsOnly = false;
  for (const word of given) {
    const [, dashed, value] = /^--?([^=]+)(?:=(.*))?$/.exec(word) ?? [];
    if (awaited !== undefined) {
      options.set(awaited, word);
      awaited = undefined;
    } else if (isWordsOnly || dashed === undefined) {
      if (word === '--') isWordsOnly = true;
      else words++;
    } else {
      named = aliases.get(dashed) ?? dashed;
      const type = Object.hasOwn(args, named) ? args[named]?.type : 'boolean';
      if (value !== undefined) options.set(named, value);
      else if (type !== 'boolean') awaited = named;
    }
  }
  const called = Object.keys(args).filter((name) => args[name]?.type === 'positional');
  const nextWord = called[words] ?? (hasMany ? called.at(-1) : undefined);
  return { options, awaited, named, nextWord, isWordsOnly };
}

async function valuesOf(
  { args, completes }: Command,
  name: string,
  { options, names }: { options: ReadonlyMap<string, string>; names: Names },
): Promise<readonly Candidate[]> {
  const arg = Object.hasOwn(args, name) ? args[name] : undefined;
  if (arg?.type === 'enum') return (arg.options ?? []).map((value) => ({ value }));
  const kind: Completes | undefined = Object.hasOwn(completes, name) ? completes[name] : undefined;
  if (typeof kind === 'object') return kind.map((value) => ({ value }));
  // A file is the shell's own business.
  if (kind === 'file' || arg === undefined) return [];
  if (kind !== undefined) return names.of(kind, options);
  return name === 'context' ? names.of('context', options) : [];
}

function optionsOf({ args }: Command): Candidate[] {
  return Object.entries(args).flatMap(([name, arg]) => {
    if (arg.type === 'positional') return [];
    const isOn = arg.type === 'boolean' && arg.default === true;
    const description = isOn ? arg.negativeDescription : arg.description;
    return [{ value: isOn ? `--no-${name}` : `--${name}`, description }];
  });
}

function starting(begun: string, candidates: readonly Candidate[]): Candidate[] {
  return candidates.filter(({ value }) => value.startsWith(begun));
}
