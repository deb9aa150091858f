import type { Log, LogFields } from '../../ports/log.ts';

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export const LOG_FORMATS = ['auto', 'json', 'pretty'] as const;
export type LogFormat = (typeof LOG_FORMATS)[number];

export interface LoggerOptions {
  level: LogLevel;
  format: 'json' | 'pretty';
  /** Takes one whole line, its end included. */
  write: (line: string) => void;
  /** Fields of every line, such as the node. */
  always?: LogFields;
  nowMs?: () => number;
}

/** Longest text of one field: a line is for people, and nothing a client sends may fill a disk. */
const TEXT_MAX = 1_000;
/** Of a debug line's error, where a stack helps. */
const STACK_LINES_MAX = 12;

/** A log of one JSON object a line, keys in a fixed order, or of lines for people. */
export function logger({ level, format, write, always = {}, nowMs = Date.now }: LoggerOptions): Log {
  const least = LOG_LEVELS.indexOf(level);
  const line = format === 'json' ? jsonLine : prettyLine;
  const at = (own: LogLevel) => {
    if (LOG_LEVELS.indexOf(own) < least) return undefined;
    return (msg: string, fields: LogFields = {}) => {
      const { err, ...rest } = { ...always, ...fields };
      const said = err === undefined ? rest : { ...rest, err: errorOf(err, level) };
      write(line({ level: own, time: new Date(nowMs()).toISOString(), msg: cut(msg) }, said));
    };
  };
  const silent = () => {};
  return {
    debug: at('debug'),
    info: at('info') ?? silent,
    warn: at('warn') ?? silent,
    error: at('error') ?? silent,
  };
}

/** `auto` is for people on a terminal, JSON elsewhere. */
export function formatFor(format: LogFormat, isTerminal: boolean): 'json' | 'pretty' {
  if (format !== 'auto') return format;
  return isTerminal ? 'pretty' : 'json';
}

/** Lines to stderr; a reader that has gone is not our failure. */
export function toStderr(): (line: string) => void {
  process.stderr.on('error', () => {});
  return (line) => void process.stderr.write(line);
}

interface Head {
  level: LogLevel;
  time: string;
  msg: string;
}

/** What comes first in a line, in this order; other fields follow as they were given. */
const ORDER = ['component', 'node', 'topic', 'partition', 'offset', 'correlationId', 'client'] as const;

function jsonLine(head: Head, fields: LogFields): string {
  const ordered: Record<string, unknown> = { ...head };
  for (const name of ORDER) ordered[name] = fields[name];
  return `${JSON.stringify({ ...ordered, ...fields, ...head }, plain)}\n`;
}

/** A terminal shows one node. */
const NOT_SHOWN = new Set(['component', 'node']);

function prettyLine({ level, time, msg }: Head, fields: LogFields): string {
  const { component } = fields;
  const details = Object.entries(fields).flatMap(([name, value]) =>
    value === undefined || NOT_SHOWN.has(name) ? [] : [`${name}=${shown(value)}`],
  );
  const who = component === undefined ? '' : `${component}: `;
  const clock = time.slice('yyyy-mm-ddT'.length);
  return `${[clock, level.toUpperCase().padEnd(5), who + printable(msg), ...details].join(' ')}\n`;
}

function shown(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value, plain);
  return /^[\w./:@+-]+$/.test(text) ? text : JSON.stringify(text);
}

/** What JSON has no form for, and text that is too long. */
function plain(_: string, value: unknown): unknown {
  if (typeof value === 'bigint') return String(value);
  return typeof value === 'string' ? cut(value) : value;
}

function errorOf(error: unknown, level: LogLevel): unknown {
  if (!(error instanceof Error)) return { message: cut(String(error)) };
  const { code } = error as NodeJS.ErrnoException;
  const stack = level === 'debug' ? error.stack?.split('\n').slice(0, STACK_LINES_MAX).join('\n') : undefined;
  return { name: error.name, message: cut(error.message), code, stack };
}

function cut(text: string): string {
  return text.length > TEXT_MAX ? `${text.slice(0, TEXT_MAX)}…` : text;
}

/** What a client sends must not move a terminal's cursor. */
function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, '\u00b7');
}
