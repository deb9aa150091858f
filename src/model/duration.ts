import type { Millis } from './ids.ts';

/** A time span as people write it: `90s`, `15m`, `1.5h`, `7d`, `500ms`. */
export type Duration = `${number}${'ms' | 's' | 'm' | 'h' | 'd'}`;

const UNIT_MS: Readonly<Record<string, Millis>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** How long ago: `-90s`, `-7d`; undefined when the text is no such. */
export function agoMs(text: string): Millis | undefined {
  return text.startsWith('-') ? durationMs(text.slice(1)) : undefined;
}

/** Undefined when the text is no such span. */
export function durationMs(text: string): Millis | undefined {
  const [, amount, unit = ''] = /^(\d{1,12}(?:\.\d{1,6})?)(ms|s|m|h|d)$/.exec(text) ?? [];
  return amount === undefined ? undefined : Math.round(Number(amount) * (UNIT_MS[unit] ?? 0));
}
