import { isUtf8 } from 'node:buffer';
import type { ConsumerRecord } from '../../client/fetch/consumer-record.ts';
import { usage } from '../options.ts';
import { printable } from '../terminal/printable.ts';
import { styled } from '../terminal/table.ts';
import { lineOf } from '../transfer/ndjson.ts';
import type { LineBuffer } from './line-buffer.ts';

/** Puts a record on its way to stdout. */
export type Format = (record: ConsumerRecord, into: LineBuffer) => void;

/** A record as JSON, its value too where it is some: `produce` and `import` take it, byte by byte. */
export const asJson: Format = (record, into) => into.text(lineOf(record, record, { nests: true }));

/** The value and a line feed. */
export const asValue: Format = ({ valueBytes }, into) => {
  if (valueBytes !== null) into.bytes(valueBytes);
  into.text('\n');
};

/** For the eye: when, where, key and value. */
export function forTerminal(colour: boolean): Format {
  const dim = (text: string) => (colour ? styled('dim', text) : text);
  return (record, into) => {
    const { partition, offset, timestamp, keyBytes, valueBytes } = record;
    const when = timestamp < 0 ? '-' : new Date(timestamp).toISOString();
    const key = keyBytes === null ? '' : `${shown(keyBytes)}  `;
    into.text(`${dim(`${when}  ${partition}:${offset}`)}  ${key}${shown(valueBytes)}\n`);
  };
}

const HEX_MAX_BYTES = 64;

function shown(bytes: Uint8Array | null): string {
  if (bytes === null) return 'null';
  const view = viewOf(bytes);
  if (isUtf8(view)) return printable(view.toString('utf8'));
  return `0x${view.toString('hex', 0, HEX_MAX_BYTES)}${view.length > HEX_MAX_BYTES ? '…' : ''}`;
}

function viewOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}

/** What stands for a part of a record in a template; null is nothing. */
const FIELDS: Readonly<Record<string, Format>> = {
  t: ({ topic }, into) => into.text(topic),
  p: ({ partition }, into) => into.text(`${partition}`),
  o: ({ offset }, into) => into.text(`${offset}`),
  k: ({ keyBytes }, into) => keyBytes !== null && into.bytes(keyBytes),
  v: ({ valueBytes }, into) => valueBytes !== null && into.bytes(valueBytes),
  // As kcat calls it.
  s: ({ valueBytes }, into) => valueBytes !== null && into.bytes(valueBytes),
  K: ({ keyLength }, into) => into.text(`${keyLength}`),
  S: ({ valueLength }, into) => into.text(`${valueLength}`),
  T: ({ timestamp }, into) => into.text(`${timestamp}`),
  d: ({ timestamp }, into) => into.text(new Date(timestamp).toISOString()),
  h: ({ headers }, into) => {
    for (const [at, { key, value }] of headers.entries()) {
      into.text(`${at === 0 ? '' : ','}${key}=`);
      if (value !== null) into.bytes(value);
    }
  },
  '%': (_, into) => into.text('%'),
};

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', 0: '\0', '\\': '\\' };

/** `%o %k %v\n`, as kcat and rpk have it. @throws CliError */
export function template(text: string): Format {
  const parts = Array.from(
    text.matchAll(/%(?<field>[\s\S]?)|\\x(?<hex>[\da-f]{2})|\\(?<escape>[\s\S]?)|(?<plain>[^%\\]+)/gi),
    ({ groups = {} }): Format => {
      const { field, hex, escape, plain = '' } = groups;
      if (field !== undefined) return fieldNamed(field);
      if (hex !== undefined) return literal(Uint8Array.of(Number.parseInt(hex, 16)));
      if (escape === undefined) return literal(Buffer.from(plain));
      const meant = Object.hasOwn(ESCAPES, escape) ? ESCAPES[escape] : undefined;
      if (meant === undefined) throw usage(String.raw`--format: there is no \${escape}`, HINT);
      return literal(Buffer.from(meant));
    },
  );
  return (record, into) => {
    for (const part of parts) part(record, into);
  };
}

function fieldNamed(name: string): Format {
  const found = Object.hasOwn(FIELDS, name) ? FIELDS[name] : undefined;
  if (found === undefined) throw usage(`--format: there is no %${name}`, HINT);
  return found;
}

function literal(bytes: Uint8Array): Format {
  return (_, into) => into.bytes(bytes);
}

const HINT =
  '%t topic, %p partition, %o offset, %k key, %v value, %K %S their bytes, %T ms, %d date, ' +
  String.raw`%h headers; \n \t \xHH`;
