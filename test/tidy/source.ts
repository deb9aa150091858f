import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

export const ROOT = join(import.meta.dirname, '../..');

/** A file as the rules look at it. All texts have the same lines. */
export interface Source {
  /** From the top of the repository, with slashes. */
  path: string;
  text: string;
  /** Without comments. */
  uncommented: string;
  /** Without comments and without what stands in strings and regular expressions. */
  code: string;
}

/** What is wrong where, and what to do instead. */
export interface Fault {
  path: string;
  line: number;
  rule: string;
  instead: string;
}

export function fault({ path }: { path: string }, line: number, rule: string, instead: string): Fault {
  return { path, line, rule, instead };
}

/** `src/a.ts:12: rule -> what to do`. */
export function describeFault({ path, line, rule, instead }: Fault): string {
  return `${path}:${line}: ${rule} -> ${instead}`;
}

/** Line number, from 1, of a position in a text. */
export function lineAt(text: string, position: number): number {
  let line = 1;
  for (let at = text.indexOf('\n'); at !== -1 && at < position; at = text.indexOf('\n', at + 1)) line++;
  return line;
}

/** One fault for every match of `pattern` (global) in `text`. */
export function faultsOf(
  source: Source,
  text: string,
  pattern: RegExp,
  say: (match: RegExpExecArray) => { rule: string; instead: string },
): Fault[] {
  return Array.from(text.matchAll(pattern), (match) => {
    const { rule, instead } = say(match);
    return fault(source, lineAt(text, match.index), rule, instead);
  });
}

/** What git does not keep, as `.gitignore` says it with plain names. */
function ignoredNames(): Set<string> {
  const lines = readFileSync(join(ROOT, '.gitignore'), 'utf8').split('\n');
  return new Set(['.git', ...lines.map((line) => line.trim().replace(/\/$/, ''))]);
}

/** Every file of ours, from the top. */
export function filePaths(ignored = ignoredNames()): string[] {
  const below = (directory: string): string[] =>
    readdirSync(join(ROOT, directory), { withFileTypes: true })
      .filter(({ name }) => !ignored.has(name))
      .flatMap((entry) => {
        const path = directory === '' ? entry.name : `${directory}/${entry.name}`;
        return entry.isDirectory() ? below(path) : [path];
      });
  return below('').toSorted();
}

export function readSource(path: string): Source {
  return sourceOf(path, readFileSync(join(ROOT, path), 'utf8'));
}

const COMMENT = /\/\/[^\n]*|\/\*[^]*?\*\//;
const QUOTED = /'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"/;
/** Code within a template string, which may hold another one. */
const HOLE = /\$\{(?:`[^`]*`|[^`{}]|\{[^{}]*\})*\}/;
const TEMPLATE = new RegExp(`\`(?:\\\\[^]|${HOLE.source}|[^\`\\\\])*\``);
/** A slash starts one only where a value may stand. */
const REGEX =
  /(?<=(?:^|[=(,:[!&|?{};]|\breturn)\s*)\/(?![*/])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n[])+\/[a-z]*/;
const TOKEN = new RegExp(`(${COMMENT.source})|${QUOTED.source}|${TEMPLATE.source}|${REGEX.source}`, 'g');
const HOLES = new RegExp(`(${HOLE.source})`);

export function sourceOf(path: string, text: string): Source {
  return { path, text, uncommented: without(text, false), code: without(text, true) };
}

/** Template strings keep what stands in `${}`: it is code. */
function without(text: string, strings: boolean): string {
  return text.replace(TOKEN, (token, comment: string | undefined) => {
    if (comment !== undefined) return blank(token);
    if (!strings) return token;
    if (!token.startsWith('`')) return `${token[0]}${blank(token.slice(1, -1))}${token.at(-1)}`;
    const parts = token.split(HOLES);
    return parts.map((part, at) => (at % 2 === 1 ? part : blank(part))).join('');
  });
}

function blank(text: string): string {
  return text.replace(/[^\n]/g, ' ');
}
