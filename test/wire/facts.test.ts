import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { groupMetadataValue, offsetCommitValue } from '../../src/group/records.ts';
import { CONTROL_RECORDS } from '../../src/metadata/control-records.ts';
import { METADATA_RECORDS } from '../../src/metadata/records.ts';
import { APIS } from '../../src/wire/registry.ts';
import type { Api, Field, Fields, Message, VersionRange } from '../../src/wire/schema.ts';

/** Writes a schema as facts.txt does, so that a field that drifts shows as one line of a diff. */
function describeApi(api: Api): string {
  const lines = [`${api.name} ${api.key} ${show(api.versions)} ${show(cut(api.flexible, api.versions))}`];
  for (const part of ['request', 'response'] as const) {
    lines.push(`  ${part}`, ...describeFields(api[part], api.versions, '    '));
  }
  return lines.join('\n');
}

function describeFields(fields: Fields, versions: VersionRange, indent: string): string[] {
  return Object.entries(fields).flatMap(([name, field]) => {
    const inner = (field.kind === 'array' ? field.element?.fields : field.fields) ?? {};
    const words = [name, typeOf(field), ...rangesOf(field, versions), ...defaultOf(field)];
    return [indent + words.join(' '), ...describeFields(inner, versions, `${indent}  `)];
  });
}

function typeOf(field: Field): string {
  if (field.kind === 'array') return `[]${typeOf(field.element as Field)}`;
  return field.kind === 'int64Exact' ? 'int64' : field.kind;
}

function rangesOf(field: Field, versions: VersionRange): string[] {
  const own = cut(field.versions, versions);
  const nullable = cut(field.nullable, own);
  return [
    show(own),
    ...(nullable.min <= nullable.max ? [`null ${show(nullable)}`] : []),
    ...(field.tag === undefined ? [] : [`tag ${field.tag}`]),
  ];
}

const ZEROS: readonly unknown[] = [undefined, 0, 0n, '', false, 'AAAAAAAAAAAAAAAAAAAAAA'];

function defaultOf(field: Field): string[] {
  const isZero = ZEROS.includes(field.default) || field.default instanceof Uint8Array;
  return isZero ? [] : [`= ${String(field.default)}`];
}

function cut(range: VersionRange, within: VersionRange): VersionRange {
  return { min: Math.max(range.min, within.min), max: Math.min(range.max, within.max) };
}

function show({ min, max }: VersionRange): string {
  if (min > max) return 'none';
  return min === max ? `${min}` : `${min}-${max}`;
}

function describeMessage({ name, versions, flexible, fields }: Message): string {
  const head = `${name} ${show(versions)} ${show(cut(flexible, versions))}`;
  return [head, ...describeFields(fields, versions, '  ')].join('\n');
}

/** The blocks of a file of facts: a line that is not indented begins one. */
function factsIn(file: string): string[] {
  return readFileSync(new URL(file, import.meta.url), 'utf8')
    .replace(/^#.*\n/gm, '')
    .trimEnd()
    .split(/\n(?=\S)/);
}

describe('schemas say what Kafka’s do', () => {
  const facts = factsIn('facts.txt');

  test('for as many APIs', () => {
    expect(APIS).toHaveLength(facts.length);
  });

  test.each(APIS.map((api, i) => [api.name, api, facts[i]] as const))('%s', (_name, api, expected) => {
    expect(describeApi(api)).toBe(expected);
  });

  const recordFacts = new Map(factsIn('record-facts.txt').map((block) => [/^\w+/.exec(block)?.[0], block]));
  const records = [...Object.values(METADATA_RECORDS), ...Object.values(CONTROL_RECORDS)];
  const messages: Message[] = [...records.map(({ schema }) => schema), offsetCommitValue, groupMetadataValue];

  test.each(messages.map((each) => [each.name, each] as const))('%s', (name, each) => {
    expect(describeMessage(each)).toBe(recordFacts.get(name));
  });
});

/**
 * Who changes what travels has to say so here as well: facts alone do not see which int64 are read as bigint, and
 * could be changed together with a schema.
 */
test('no schema changes unseen', () => {
  const whole = JSON.stringify(APIS, (_key, value: unknown) =>
    typeof value === 'bigint' ? `${value}n` : value,
  );
  expect(createHash('sha256').update(whole).digest('hex')).toBe(
    '192fe16109c84eaf71ab967852e6097bef203a291a535bd70f45176aa732a0d2',
  );
});
