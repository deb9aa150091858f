import type { ArgDef, ArgsDef } from 'citty';
import { CliError, EXIT } from './errors.ts';

/**
 * The arguments as citty reads them without doubt: `--name=value`, `--flag`, words. Refuses what a command does not
 * have, and values that are missing: a typo must not run something else.
 * @param hasMany the last word may come many times.
 */
export function canonical(rawArgs: readonly string[], args: ArgsDef, { hasMany = false } = {}): string[] {
  const given = new Given(args, hasMany ? Number.POSITIVE_INFINITY : undefined);
  for (let at = 0; at < rawArgs.length; at++) {
    const argument = rawArgs[at] ?? '';
    if (argument === '--') {
      given.words(rawArgs.slice(at + 1));
      break;
    }
    if (argument === '-' || !argument.startsWith('-')) given.words([argument]);
    else if (given.option(argument, rawArgs[at + 1])) at++;
  }
  return given.canonical();
}

/** What was given, as far as it has been looked at. */
class Given {
  readonly #args: ArgsDef;
  readonly #aliases: ReadonlyMap<string, string>;
  readonly #hint: string;
  #wordsLeft: number;
  readonly #options: string[] = [];
  readonly #words: string[] = [];

  constructor(args: ArgsDef, wordsMax?: number) {
    this.#args = args;
    const options = Object.entries(args).filter(([, { type }]) => type !== 'positional');
    this.#hint = `options: ${options.map(([name]) => `--${name}`).join(' ')}`;
    this.#wordsLeft = wordsMax ?? Object.keys(args).length - options.length;
    this.#aliases = new Map(
      options.flatMap(([name, arg]) =>
        aliasesOf(arg).map((alias) => [`${alias.length === 1 ? '-' : '--'}${alias}`, name]),
      ),
    );
  }

  words(words: readonly string[]): void {
    for (const word of words) {
      if (this.#wordsLeft-- <= 0) throw usage(`"${word}" belongs to no option`, this.#hint);
      this.#words.push(word);
    }
  }

  /** @returns whether it took the next argument for its value. */
  option(argument: string, next: string | undefined): boolean {
    const flags = this.#shortFlags(argument);
    if (flags !== undefined) {
      this.#options.push(...flags);
      return false;
    }
    const [option = '', ...rest] = argument.split('=');
    const value = rest.length === 0 ? undefined : rest.join('=');
    const name = this.#aliases.get(option) ?? /^--(.+)$/.exec(option)?.[1] ?? '';
    if (this.#isFlag(name) || this.#isFlag(/^no-(.+)$/.exec(name)?.[1] ?? '')) {
      if (value !== undefined) throw usage(`${option} takes no value`, this.#hint);
      this.#options.push(`--${name}`);
      return false;
    }
    if (!Object.hasOwn(this.#args, name) || this.#args[name]?.type === 'positional')
      throw usage(`there is no option ${option}`, this.#hint);
    const taken = value ?? next ?? '';
    if (taken === '' || (value === undefined && /^-(?!\d)/.test(taken)))
      throw usage(`${option} needs a value`, this.#hint);
    this.#options.push(`--${name}=${taken}`);
    return value === undefined;
  }

  canonical(): string[] {
    return this.#words.length === 0 ? this.#options : [...this.#options, '--', ...this.#words];
  }

  #isFlag(name: string): boolean {
    return Object.hasOwn(this.#args, name) && this.#args[name]?.type === 'boolean';
  }

  /** `-qv` is `-q -v`. */
  #shortFlags(argument: string): string[] | undefined {
    if (!/^-[a-z]{2,}$/i.test(argument)) return undefined;
    const names = Array.from(argument.slice(1), (letter) => this.#aliases.get(`-${letter}`) ?? '');
    return names.every((name) => this.#isFlag(name)) ? names.map((name) => `--${name}`) : undefined;
  }
}

export function aliasesOf(arg: ArgDef): string[] {
  return 'alias' in arg ? [arg.alias ?? []].flat() : [];
}

export function usage(message: string, hint?: string): CliError {
  return new CliError(EXIT.usage, 'USAGE', message, hint);
}

/** A whole number within bounds. */
export function integerIn(option: string, text: string, min: number, max: number): number {
  const value = Number(text);
  if (text.trim() !== '' && Number.isInteger(value) && value >= min && value <= max) return value;
  throw usage(`${option} takes a whole number from ${min} to ${max}, not "${text}"`);
}

/** Origins of web pages, separated by commas; `*` is any. */
export function originsIn(option: string, text = ''): string[] {
  const origins = text.split(',').flatMap((part) => (part.trim() === '' ? [] : [part.trim()]));
  const bad = origins.find((origin) => origin !== '*' && !isOrigin(origin));
  if (bad === undefined) return origins;
  throw usage(`${option} takes origins such as https://app.example.com, not "${bad}"`);
}

function isOrigin(text: string): boolean {
  return URL.canParse(text) && new URL(text).origin === text;
}

/** Every value given to an option, of {@link canonical} arguments, in order: `--set a=1 --set b=2`. */
export function everyValue(rawArgs: readonly string[], name: string): string[] {
  const wordsAt = rawArgs.indexOf('--');
  const options = wordsAt < 0 ? rawArgs : rawArgs.slice(0, wordsAt);
  const start = `--${name}=`;
  return options.flatMap((option) => (option.startsWith(start) ? [option.slice(start.length)] : []));
}

/** One of some words. */
export function oneOf<T extends string>(option: string, text: string | undefined, words: readonly T[]): T {
  const found = words.find((word) => word === text);
  if (found !== undefined) return found;
  throw usage(`${option} takes ${words.join(' or ')}, not "${text}"`);
}
