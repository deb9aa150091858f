import { type Field, type Fields, inRange } from '../../src/wire/schema.ts';
import type { SeededRandom } from '../support/random.ts';
import { randomBytes } from './damage.ts';

export type Struct = Record<string, unknown>;
/** Gives a value for the field of that name, or undefined to let chance decide. */
export type Hint = (name: string, random: SeededRandom) => unknown;

const INT_EDGES = [0, 1, -1, 2, 5, 100, 1000];
const TEXTS = [
  '',
  'a',
  'topic',
  'consumer',
  'ä€𐍈',
  '.',
  '..',
  'x'.repeat(300),
  '\ud800',
  '__consumer_offsets',
];
const ITEMS_MAX = 3;
const NO_HINT: Hint = () => undefined;

/** A body that can be encoded: every field the version has, drawn by its kind. */
export function bodyOf(fields: Fields, version: number, random: SeededRandom, hint: Hint = NO_HINT): Struct {
  const body: Struct = {};
  for (const [name, field] of Object.entries(fields)) {
    if (!inRange(field.versions, version)) continue;
    if (field.tag !== undefined && random.chance(0.5)) continue;
    body[name] = hint(name, random) ?? valueOf(field, { version, random, hint });
  }
  return body;
}

interface Draw {
  version: number;
  random: SeededRandom;
  hint: Hint;
}

function valueOf(field: Field, draw: Draw): unknown {
  const { version, random, hint } = draw;
  if (inRange(field.nullable, version) && random.chance(0.2)) return null;
  switch (field.kind) {
    case 'struct':
      return bodyOf(field.fields ?? {}, version, random, hint);
    case 'array':
      return Array.from({ length: random.integer(0, ITEMS_MAX) }, () =>
        valueOf(field.element as Field, draw),
      );
    case 'bool':
      return random.chance(0.5);
    case 'string':
      return random.pick(TEXTS).toWellFormed();
    case 'bytes':
      return randomBytes(random, random.integer(0, 40));
    case 'uuid':
      return Buffer.from(randomBytes(random, 16)).toString('base64url');
    case 'float64':
      return random.next() * 1e6;
    case 'int64Exact':
      return BigInt(random.pick(INT_EDGES));
    default:
      return wholeNumber(field.kind, random);
  }
}

const BITS = { int8: 8, int16: 16, uint16: 16, int32: 32, uint32: 32, int64: 53 } as const;

function wholeNumber(kind: keyof typeof BITS, random: SeededRandom): number {
  const isUnsigned = kind.startsWith('u');
  const bits = BITS[kind];
  if (random.chance(0.6)) return Math.abs(random.pick(INT_EDGES)) % 2 ** (bits - 1);
  const max = isUnsigned ? 2 ** bits - 1 : 2 ** (bits - 1) - 1;
  const min = isUnsigned ? 0 : -max - 1;
  return random.pick([min === -(2 ** 52) ? -max : min, max, Math.floor(random.next() * max)]);
}
