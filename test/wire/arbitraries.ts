import fc from 'fast-check';
import { inRange, type Api, type Field, type Fields } from '../../src/wire/schema.ts';

export type Struct = Record<string, unknown>;

const SCALARS = {
  bool: fc.boolean(),
  int8: fc.integer({ min: -0x80, max: 0x7f }),
  int16: fc.integer({ min: -0x8000, max: 0x7fff }),
  uint16: fc.integer({ min: 0, max: 0xffff }),
  int32: fc.integer(),
  uint32: fc.integer({ min: 0, max: 0xffff_ffff }),
  int64: fc.maxSafeInteger(),
  int64Exact: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  float64: fc.double({ noNaN: true }),
  uuid: fc
    .uint8Array({ minLength: 16, maxLength: 16 })
    .map((bytes) => Buffer.from(bytes).toString('base64url')),
  string: fc.oneof(fc.string({ maxLength: 40 }), fc.string({ unit: 'binary', maxLength: 60 })),
  // Some are large enough to leave by reference.
  bytes: fc.oneof(fc.uint8Array({ maxLength: 20 }), fc.uint8Array({ minLength: 1020, maxLength: 1030 })),
};

function fieldArbitrary(field: Field, version: number): fc.Arbitrary<unknown> {
  const some = presentArbitrary(field, version);
  return inRange(field.nullable, version) ? fc.option(some, { nil: null, freq: 4 }) : some;
}

function presentArbitrary(field: Field, version: number): fc.Arbitrary<unknown> {
  if (field.kind === 'struct') return bodyArbitrary(field.fields as Fields, version);
  if (field.kind !== 'array') return SCALARS[field.kind];
  return fc.array(fieldArbitrary(field.element as Field, version), { maxLength: 3 });
}

/** A value of every field the version has; tagged ones are their default now and then. */
export function bodyArbitrary(fields: Fields, version: number): fc.Arbitrary<Struct> {
  const here = Object.entries(fields).filter(([, field]) => inRange(field.versions, version));
  const members = here.map(([name, field]) => {
    const some = fieldArbitrary(field, version);
    return [name, field.tag === undefined ? some : fc.oneof(some, fc.constant(defaultOf(field)))] as const;
  });
  return fc.record(Object.fromEntries(members), { noNullPrototype: true });
}

export function defaultOf({ kind, default: value, fields }: Field): unknown {
  if (value === null) return null;
  if (kind === 'array') return [];
  return kind === 'struct' ? withDefaults(fields as Fields, {}) : value;
}

/** What a body reads as: fields that were not sent have their default. */
export function withDefaults(fields: Fields, body: Struct): Struct {
  return Object.fromEntries(
    Object.entries(fields).map(([name, field]) => [
      name,
      name in body ? deepen(field, body[name]) : defaultOf(field),
    ]),
  );
}

function deepen(field: Field, value: unknown): unknown {
  if (value === null) return null;
  if (field.kind === 'struct') return withDefaults(field.fields as Fields, value as Struct);
  if (field.kind === 'array') return (value as unknown[]).map((item) => deepen(field.element as Field, item));
  return value;
}

export function versionNumbers({ versions }: Pick<Api, 'versions'>): number[] {
  return Array.from({ length: versions.max - versions.min + 1 }, (_, i) => versions.min + i);
}
