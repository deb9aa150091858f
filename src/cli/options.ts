import type { ArgsDef } from 'citty';
import { CliError, EXIT } from './errors.ts';

/** Refuses what a command does not have, and values that are missing: a typo must not run something else. */
export function checkOptions(rawArgs: readonly string[], args: ArgsDef): void {
  const options = Object.entries(args).filter(([, { type }]) => type !== 'positional');
  const hint = `options: ${options.map(([name]) => `--${name}`).join(' ')}`;
  const aliases = new Map(
    options.flatMap(([name, arg]) => ('alias' in arg ? [[`-${String(arg.alias)}`, name]] : [])),
  );
  let words = Object.keys(args).length - options.length;
  for (let at = 0; at < rawArgs.length; at++) {
    const argument = rawArgs[at] ?? '';
    const [option = '', ...rest] = argument.split('=');
    const value = rest.length === 0 ? undefined : rest.join('=');
    if (!option.startsWith('-')) {
      if (words-- > 0) continue;
      throw usage(`"${argument}" belongs to no option`, hint);
    }
    const isFlag = (name: string) => args[name]?.type === 'boolean';
    const name = aliases.get(option) ?? /^--(.+)$/.exec(option)?.[1] ?? '';
    if (isFlag(name) || isFlag(/^no-(.+)$/.exec(name)?.[1] ?? '')) {
      if (value !== undefined) throw usage(`${option} takes no value`, hint);
    } else if (!Object.hasOwn(args, name)) {
      throw usage(`there is no option ${option}`, hint);
    } else {
      const taken = value ?? rawArgs[++at] ?? '';
      if (taken === '' || (value === undefined && /^-(?!\d)/.test(taken)))
        throw usage(`${option} needs a value`, hint);
    }
  }
}

function usage(message: string, hint?: string): CliError {
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

/** Every value given to an option, under any of its names, in order: `--set a=1 --set b=2`. */
export function everyValue(rawArgs: readonly string[], names: readonly string[]): string[] {
  return rawArgs.flatMap((argument, at) => {
    const [option = '', ...rest] = argument.split('=');
    if (!names.includes(option)) return [];
    return [rest.length > 0 ? rest.join('=') : (rawArgs[at + 1] ?? '')];
  });
}

/** One of some words. */
export function oneOf<T extends string>(option: string, text: string, words: readonly T[]): T {
  const found = words.find((word) => word === text);
  if (found !== undefined) return found;
  throw usage(`${option} takes ${words.join(' or ')}, not "${text}"`);
}
