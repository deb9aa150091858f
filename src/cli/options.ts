import type { ArgsDef } from 'citty';
import { CliError, EXIT } from './errors.ts';

/** Refuses options a command does not have: a typo must not run something else. */
export function checkOptions(rawArgs: readonly string[], args: ArgsDef): void {
  const known = new Set(Object.keys(args).flatMap((name) => [`--${name}`, `--no-${name}`]));
  for (const argument of rawArgs) {
    const [option = ''] = argument.split('=');
    if (!option.startsWith('-') || known.has(option)) continue;
    const hint = `options: ${Object.keys(args)
      .map((name) => `--${name}`)
      .join(' ')}`;
    throw new CliError(EXIT.usage, 'USAGE', `there is no option ${option}`, hint);
  }
}

/** A whole number within bounds. */
export function integerIn(option: string, text: string, min: number, max: number): number {
  const value = Number(text);
  if (text.trim() !== '' && Number.isInteger(value) && value >= min && value <= max) return value;
  throw new CliError(
    EXIT.usage,
    'USAGE',
    `${option} takes a whole number from ${min} to ${max}, not "${text}"`,
  );
}
