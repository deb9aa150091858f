import { usage } from '../options.ts';

export type Node =
  | { type: 'literal'; value: number | string | boolean | null }
  | Path
  | { type: 'not'; of: Node }
  | { type: 'and' | 'or'; left: Node; right: Node }
  | { type: 'compare'; operator: (typeof COMPARISONS)[number]; left: Node; right: Node };

export interface Path {
  type: 'path';
  root: (typeof ROOTS)[number];
  steps: readonly (string | number)[];
}

const ROOTS = ['key', 'value', 'headers', 'topic', 'partition', 'offset', 'timestamp'] as const;
const COMPARISONS = ['==', '!=', '<=', '>=', '<', '>', 'contains'] as const;
/** What goes deeper is no question a person asks; and it keeps the stack. */
const DEPTH_MAX = 50;

/** One of these, behind any space. */
const TOKEN = new RegExp(
  `\\s*(?:${[
    /(?<number>-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)/,
    /(?<text>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')/,
    /(?<name>[A-Za-z_$][\w$-]*)/,
    /(?<sign>&&|\|\||[=!<>]=|[!<>()[\].])/,
  ]
    .map(({ source }) => source)
    .join('|')})`,
  'y',
);

interface Token {
  kind: 'number' | 'text' | 'name' | 'sign' | 'end';
  text: string;
  /** Where it stands, from 1. */
  column: number;
}

/** @throws CliError with the column of what cannot be read. */
export function parse(text: string): Node {
  return new Parser(text).whole();
}

/** Reads one token ahead. */
class Parser {
  readonly #text: string;
  #at = 0;
  #next: Token;
  #depth = 0;

  constructor(text: string) {
    this.#text = text;
    this.#next = this.#read();
  }

  whole(): Node {
    const node = this.#or();
    if (this.#next.kind !== 'end') throw this.#wrong('an operator such as == or &&');
    return node;
  }

  #or(): Node {
    let left = this.#and();
    while (this.#takes('||')) left = { type: 'or', left, right: this.#and() };
    return left;
  }

  #and(): Node {
    let left = this.#not();
    while (this.#takes('&&')) left = { type: 'and', left, right: this.#not() };
    return left;
  }

  #not(): Node {
    if (this.#takes('!')) return { type: 'not', of: this.#deeper(() => this.#not()) };
    const left = this.#operand();
    const operator = COMPARISONS.find((each) => this.#takes(each));
    return operator === undefined ? left : { type: 'compare', operator, left, right: this.#operand() };
  }

  #operand(): Node {
    if (this.#takes('(')) {
      const node = this.#deeper(() => this.#or());
      if (!this.#takes(')')) throw this.#wrong(')');
      return node;
    }
    const { kind, text } = this.#next;
    if (kind === 'number') return this.#literal(Number(text));
    if (kind === 'text') return this.#literal(unquoted(text));
    if (kind === 'name' && Object.hasOwn(WORDS, text)) return this.#literal(WORDS[text] ?? null);
    const root = kind === 'name' ? ROOTS.find((each) => each === text) : undefined;
    if (root === undefined)
      throw this.#wrong(`a number, a 'text', or a path that begins with ${ROOTS.join(', ')}`);
    this.#advance();
    return this.#path(root);
  }

  #path(root: Path['root']): Path {
    const column = this.#next.column;
    const steps: (string | number)[] = [];
    for (;;) {
      if (this.#takes('.')) steps.push(this.#name());
      else if (this.#takes('[')) steps.push(this.#index());
      else break;
    }
    const needs =
      root === 'headers' ? steps.length === 1 : root === 'key' || root === 'value' || steps.length === 0;
    if (needs) return { type: 'path', root, steps };
    throw usage(
      `--where, column ${column}: ${root === 'headers' ? 'write headers.name' : `${root} has no fields`}`,
    );
  }

  #name(): string {
    const { kind, text } = this.#next;
    if (kind !== 'name') throw this.#wrong('the name of a field');
    this.#advance();
    return text;
  }

  #index(): string | number {
    const { kind, text } = this.#next;
    if (kind !== 'number' && kind !== 'text') throw this.#wrong("a number, or a 'name' in quotes");
    this.#advance();
    if (!this.#takes(']')) throw this.#wrong(']');
    return kind === 'number' ? Number(text) : unquoted(text);
  }

  #literal(value: number | string | boolean | null): Node {
    this.#advance();
    return { type: 'literal', value };
  }

  #deeper<T>(read: () => T): T {
    if (++this.#depth > DEPTH_MAX) throw usage('--where: it is nested too deeply');
    const found = read();
    this.#depth--;
    return found;
  }

  #takes(text: string): boolean {
    const { kind } = this.#next;
    if (this.#next.text !== text || (kind !== 'sign' && kind !== 'name')) return false;
    this.#advance();
    return true;
  }

  #advance(): void {
    this.#next = this.#read();
  }

  #read(): Token {
    TOKEN.lastIndex = this.#at;
    const found = TOKEN.exec(this.#text);
    if (found === null) {
      const rest = this.#text.slice(this.#at);
      const column = this.#at + 1 + rest.length - rest.trimStart().length;
      if (rest.trim() === '') return { kind: 'end', text: '', column };
      throw usage(`--where, column ${column}: "${rest.trim().slice(0, 20)}" cannot be read`, EXAMPLE);
    }
    const [kind = '', text = ''] =
      Object.entries(found.groups ?? {}).find(([, each]) => each !== undefined) ?? [];
    this.#at = TOKEN.lastIndex;
    return { kind: kind as Token['kind'], text, column: this.#at - text.length + 1 };
  }

  #wrong(expected: string): Error {
    const { kind, text, column } = this.#next;
    const found = kind === 'end' ? 'the end' : `"${text}"`;
    return usage(`--where, column ${column}: here should be ${expected}, not ${found}`, EXAMPLE);
  }
}

const EXAMPLE = String.raw`such as value.eur > 9 && headers.source == 'web'`;
const WORDS: Readonly<Record<string, boolean | null>> = { true: true, false: false, null: null };

function unquoted(text: string): string {
  return text.slice(1, -1).replaceAll(/\\(.)/gs, '$1');
}
