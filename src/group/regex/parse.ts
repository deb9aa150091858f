import { ErrorCode, KafkaError } from '../../model/errors.ts';
import {
  ALL,
  bothCases,
  type CharSet,
  DIGITS,
  has,
  inverse,
  NEWLINE,
  NONE,
  one,
  POSIX,
  SPACES,
  span,
  UNICODE,
  union,
  WORD,
} from './char-set.ts';

/** `start` and `end` are of the name, or of a line with the flag m. */
export type Assertion = 'start' | 'end' | 'lineStart' | 'lineEnd' | 'boundary' | 'noBoundary';

export type Node =
  | { type: 'set'; set: CharSet }
  | { type: 'assert'; what: Assertion }
  | { type: 'sequence'; items: readonly Node[] }
  | { type: 'either'; items: readonly Node[] }
  | { type: 'repeat'; item: Node; min: number; max: number };

/** RE2's own bounds. */
const REPEAT_MAX = 1_000;
const DEPTH_MAX = 250;

interface Flags {
  ignoreCase: boolean;
  multiline: boolean;
  dotAll: boolean;
}

/** @throws KafkaError INVALID_REGULAR_EXPRESSION for what RE2 takes for none: look-around and back-references too. */
export function parse(source: string): Node {
  return new Parser(source).parse();
}

export function invalid(why: string): KafkaError {
  return new KafkaError(ErrorCode.INVALID_REGULAR_EXPRESSION, why);
}

const CLASSES: Readonly<Record<string, CharSet>> = {
  d: DIGITS,
  D: inverse(DIGITS),
  w: WORD,
  W: inverse(WORD),
  s: SPACES,
  S: inverse(SPACES),
};
const CONTROLS: Readonly<Record<string, number>> = { a: 7, t: 9, n: 10, v: 11, f: 12, r: 13 };
const ASSERTIONS: Readonly<Record<string, Assertion>> = {
  A: 'start',
  z: 'end',
  b: 'boundary',
  B: 'noBoundary',
};

class Parser {
  readonly #source: string;
  #at = 0;
  #depth = 0;
  #flags: Flags = { ignoreCase: false, multiline: false, dotAll: false };

  constructor(source: string) {
    this.#source = source;
  }

  parse(): Node {
    const node = this.#either();
    if (this.#at < this.#source.length) throw invalid('unexpected )');
    return node;
  }

  #either(): Node {
    if (++this.#depth > DEPTH_MAX) throw invalid('expression nests too deeply');
    const items = [this.#sequence()];
    while (this.#takes('|')) items.push(this.#sequence());
    this.#depth--;
    return items.length === 1 ? (items[0] as Node) : { type: 'either', items };
  }

  #sequence(): Node {
    const items: Node[] = [];
    while (this.#at < this.#source.length && this.#peek !== '|' && this.#peek !== ')') {
      if (this.#takes('\\Q')) items.push(...this.#quoted());
      else {
        const atom = this.#atom();
        if (atom !== undefined) items.push(this.#repeated(atom));
      }
    }
    return { type: 'sequence', items };
  }

  *#quoted(): Iterable<Node> {
    while (this.#at < this.#source.length && !this.#takes('\\E')) yield this.#literal(this.#next());
  }

  /** Undefined for flags that hold from here on. */
  #atom(): Node | undefined {
    const { multiline, dotAll } = this.#flags;
    const char = this.#next();
    switch (char) {
      case '(':
        return this.#group();
      case '[':
        return { type: 'set', set: this.#class() };
      case '.':
        return { type: 'set', set: dotAll ? ALL : inverse(NEWLINE) };
      case '^':
        return { type: 'assert', what: multiline ? 'lineStart' : 'start' };
      case '$':
        return { type: 'assert', what: multiline ? 'lineEnd' : 'end' };
      case '*':
      case '+':
      case '?':
        throw invalid(`missing argument to repetition operator: ${char}`);
      case '\\':
        return this.#escape();
      default:
        return this.#literal(char);
    }
  }

  #literal(char: string): Node {
    return { type: 'set', set: this.#cased(one(char.charCodeAt(0))) };
  }

  #cased(set: CharSet): CharSet {
    return this.#flags.ignoreCase ? bothCases(set) : set;
  }

  #group(): Node | undefined {
    const outer = this.#flags;
    if (this.#takes('?')) {
      const name = /^P?<([A-Za-z_]\w*)>/.exec(this.#rest);
      if (name !== null) this.#at += name[0].length;
      else {
        const flags = /^([imsU]*)(?:-([imsU]+))?([:)])/.exec(this.#rest);
        if (flags === null) throw invalid('invalid or unsupported Perl syntax');
        this.#at += flags[0].length;
        this.#flags = changed(outer, flags[1] ?? '', flags[2] ?? '');
        if (flags[3] === ')') return undefined;
      }
    }
    const node = this.#either();
    if (!this.#takes(')')) throw invalid('missing closing )');
    this.#flags = outer;
    return node;
  }

  #repeated(item: Node): Node {
    const bounds = this.#bounds();
    if (bounds === undefined) return item;
    this.#takes('?');
    if (/^[*+?]/.test(this.#rest) || /^\{\d+(?:,\d*)?\}/.test(this.#rest))
      throw invalid('invalid nested repetition operator');
    return { type: 'repeat', item, ...bounds };
  }

  #bounds(): { min: number; max: number } | undefined {
    if (this.#takes('*')) return { min: 0, max: Infinity };
    if (this.#takes('+')) return { min: 1, max: Infinity };
    if (this.#takes('?')) return { min: 0, max: 1 };
    const counted = /^\{(\d+)(,(\d*))?\}/.exec(this.#rest);
    if (counted === null) return undefined;
    this.#at += counted[0].length;
    const min = Number(counted[1]);
    const last = counted[3] === '' ? Infinity : Number(counted[3]);
    const max = counted[2] === undefined ? min : last;
    if (min > REPEAT_MAX || (max > REPEAT_MAX && max !== Infinity) || max < min)
      throw invalid(`bad repetition operator: ${counted[0]}`);
    return { min, max };
  }

  #escape(): Node {
    const what = ASSERTIONS[this.#peek];
    if (what === undefined) return { type: 'set', set: this.#escaped() };
    this.#at++;
    return { type: 'assert', what };
  }

  /** Behind a backslash, in a class or outside. */
  #escaped(): CharSet {
    if (this.#at >= this.#source.length) throw invalid('trailing backslash at end of expression');
    const char = this.#next();
    const named = CLASSES[char];
    if (named !== undefined) return named;
    if (char === 'p' || char === 'P') return this.#unicode(char === 'P');
    const control = CONTROLS[char];
    if (control !== undefined) return one(control);
    const code = char === 'x' ? /^(?:\{([0-9A-Fa-f]{1,6})\}|([0-9A-Fa-f]{2}))/.exec(this.#rest) : null;
    if (code !== null) {
      this.#at += code[0].length;
      return this.#cased(one(Number.parseInt(code[1] ?? code[2] ?? '', 16)));
    }
    if (/[A-Za-z0-9]/.test(char)) throw invalid(`invalid escape sequence: \\${char}`);
    return this.#cased(one(char.charCodeAt(0)));
  }

  #unicode(isInverse: boolean): CharSet {
    const name = /^(?:\{(\^?)(\w+)\}|(\w))/.exec(this.#rest);
    const set = UNICODE[name?.[2] ?? name?.[3] ?? ''];
    if (name === null || set === undefined) throw invalid('invalid character class range');
    this.#at += name[0].length;
    return isInverse !== (name[1] === '^') ? inverse(set) : set;
  }

  #class(): CharSet {
    const isInverse = this.#takes('^');
    let set = NONE;
    for (let isFirst = true; isFirst || this.#peek !== ']'; isFirst = false) {
      if (this.#at >= this.#source.length) throw invalid('missing closing ]');
      set = union(set, this.#classItem());
    }
    this.#at++;
    const cased = this.#cased(set);
    return isInverse ? inverse(cased) : cased;
  }

  #classItem(): CharSet {
    const posix = /^\[:(\^?)(\w+):\]/.exec(this.#rest);
    if (posix !== null) {
      const set = POSIX[posix[2] ?? ''];
      if (set === undefined) throw invalid(`invalid character class range: ${posix[0]}`);
      this.#at += posix[0].length;
      return posix[1] === '^' ? inverse(set) : set;
    }
    const from = this.#classChar();
    if (typeof from !== 'number' || !/^-[^\]]/.test(this.#rest))
      return typeof from === 'number' ? one(from) : from;
    this.#at++;
    const to = this.#classChar();
    if (typeof to !== 'number' || to < from) throw invalid('invalid character class range');
    return span(from, to);
  }

  /** One character, or a class by its name. */
  #classChar(): number | CharSet {
    if (!this.#takes('\\')) return this.#next().charCodeAt(0);
    const isClass = /^[dDwWsSpP]/.test(this.#rest);
    const set = this.#escaped();
    if (isClass) return set;
    for (let unit = 0; unit < 128; unit++) if (has(set, unit)) return unit;
    return set;
  }

  get #peek(): string {
    return this.#source[this.#at] ?? '';
  }

  get #rest(): string {
    return this.#source.slice(this.#at);
  }

  #next(): string {
    return this.#source[this.#at++] ?? '';
  }

  #takes(text: string): boolean {
    if (!this.#source.startsWith(text, this.#at)) return false;
    this.#at += text.length;
    return true;
  }
}

function changed(flags: Flags, on: string, off: string): Flags {
  const is = (flag: string, before: boolean) => (before || on.includes(flag)) && !off.includes(flag);
  return {
    ignoreCase: is('i', flags.ignoreCase),
    multiline: is('m', flags.multiline),
    dotAll: is('s', flags.dotAll),
  };
}
