import type { ConsumerRecord } from '../../client/fetch/consumer-record.ts';
import { parse, type Node, type Path } from './where-parser.ts';

/** Whether a record is wanted. */
export type Filter = (record: ConsumerRecord) => boolean;

/**
 * A small language of its own, never code: `value.eur > 9 && key != 'test'`.
 *
 * Operands are numbers, texts in quotes, `true`, `false`, `null`, and paths. A path begins with `key`, `value`,
 * `headers`, `topic`, `partition`, `offset` or `timestamp`; behind `key` and `value` it goes on into their JSON:
 * `value.items[0].id`, `value["first name"]`, `value.items.length`. `key` and `value` alone are their text, or its
 * number beside a number.
 *
 * Operators, the weakest first: `||`, `&&`, `!`, then `== != < <= > >=` and `contains` (a text in a text, an item in a
 * list); parentheses group. What is not there is null. Of different types, nothing is equal, less or greater.
 * A timestamp is milliseconds, and beside a text that text's date.
 * @throws CliError with the place of what cannot be read.
 */
export function filterOf(text: string): Filter {
  const node = parse(text);
  return (record) => isTrue(evaluate(node, new Subject(record)));
}

type Value = unknown;

/** A record, and what was made of it for one expression. */
class Subject {
  readonly record: ConsumerRecord;
  readonly #json = new Map<'key' | 'value', Value>();
  readonly #texts = new Map<'key' | 'value', string | null>();

  constructor(record: ConsumerRecord) {
    this.record = record;
  }

  text(field: 'key' | 'value'): string | null {
    let text = this.#texts.get(field);
    if (text === undefined) {
      const bytes = field === 'key' ? this.record.keyBytes : this.record.valueBytes;
      text = bytes === null ? null : textOf(bytes);
      this.#texts.set(field, text);
    }
    return text;
  }

  /** Undefined where it is none. */
  json(field: 'key' | 'value'): Value {
    if (!this.#json.has(field)) this.#json.set(field, parsed(this.text(field)));
    return this.#json.get(field);
  }
}

function evaluate(node: Node, subject: Subject): Value {
  switch (node.type) {
    case 'literal':
      return node.value;
    case 'path':
      return valueAt(node, subject);
    case 'not':
      return !isTrue(evaluate(node.of, subject));
    case 'and':
      return isTrue(evaluate(node.left, subject)) && isTrue(evaluate(node.right, subject));
    case 'or':
      return isTrue(evaluate(node.left, subject)) || isTrue(evaluate(node.right, subject));
    case 'compare':
      return compare(node.operator, ...alike(node.left, node.right, subject));
  }
}

function isTrue(value: Value): boolean {
  return value !== false && value !== null && value !== undefined && value !== 0 && value !== '';
}

function valueAt({ root, steps }: Path, subject: Subject): Value {
  const { record } = subject;
  if (root !== 'key' && root !== 'value' && root !== 'headers') return record[root];
  if (root === 'headers') {
    const found = record.headers.findLast(({ key }) => key === steps[0])?.value ?? null;
    return found === null ? null : textOf(found);
  }
  if (steps.length === 0) return subject.text(root);
  let value = subject.json(root);
  for (const step of steps) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) return null;
    value = (value as { [name: string | number]: Value })[step];
  }
  return value;
}

/** Both sides of a comparison; a text that stands for a number or a date becomes it beside one. */
function alike(left: Node, right: Node, subject: Subject): [Value, Value] {
  const a = evaluate(left, subject);
  const b = evaluate(right, subject);
  return [converted(left, a, { beside: right, other: b }), converted(right, b, { beside: left, other: a })];
}

function converted(node: Node, value: Value, { beside, other }: { beside: Node; other: Value }): Value {
  if (typeof value !== 'string' || typeof other !== 'number') return value;
  if (node.type === 'literal' && beside.type === 'path' && beside.root === 'timestamp')
    return Date.parse(value);
  const isWhole = node.type === 'path' && (node.steps.length === 0 || node.root === 'headers');
  return isWhole && value.trim() !== '' ? Number(value) : value;
}

type Operator = Extract<Node, { type: 'compare' }>['operator'];

function compare(operator: Operator, a: Value, b: Value): boolean {
  const left = a ?? null;
  const right = b ?? null;
  switch (operator) {
    case '==':
      return left === right;
    case '!=':
      return left !== right;
    case 'contains':
      return contains(left, right);
    default:
      return isOrdered(left, right) && ordered(operator, left, right);
  }
}

function isOrdered(a: Value, b: Value): a is number | string {
  return (typeof a === 'number' && typeof b === 'number') || (typeof a === 'string' && typeof b === 'string');
}

function ordered(operator: '<' | '<=' | '>' | '>=', a: number | string, b: Value): boolean {
  const other = b as typeof a;
  if (operator === '<') return a < other;
  if (operator === '<=') return a <= other;
  return operator === '>' ? a > other : a >= other;
}

function contains(whole: Value, part: Value): boolean {
  if (Array.isArray(whole)) return whole.includes(part);
  return typeof whole === 'string' && typeof part === 'string' && whole.includes(part);
}

function parsed(text: string | null): Value {
  if (text === null) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8');
}
