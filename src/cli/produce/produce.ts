import type { ArgsDef } from 'citty';
import { addAbortSignal } from 'node:stream';
import type { RecordBytes } from '../../client/producer/record.ts';
import { brokerArgs, connectTo, watch } from '../broker.ts';
import { command } from '../command.ts';
import { integerIn, usage } from '../options.ts';
import { writingArgs, writingOptions } from './choices.ts';
import { linesOf } from './lines.ts';
import { recordOf } from './record-line.ts';
import { ProduceRun, type ReadLine } from './run.ts';

const args = {
  topic: { type: 'positional', required: true, description: 'Topic to write to' },
  ...brokerArgs,
  key: { type: 'string', alias: 'k', valueHint: 'KEY', description: 'Key of records that have none' },
  header: {
    type: 'string',
    alias: 'H',
    valueHint: 'NAME=VALUE',
    description: 'Header of all records; may be given more than once',
  },
  raw: {
    type: 'boolean',
    alias: 'r',
    description: 'Each line is a value, as it is; else it is a record as JSON',
  },
  'key-separator': {
    type: 'string',
    alias: 'K',
    valueHint: 'TEXT',
    description: String.raw`With --raw: a line is a key, this (\t for a tab), and the value`,
  },
  partition: { type: 'string', valueHint: 'N', description: 'Where all go; else by key' },
  rate: { type: 'string', valueHint: 'N', description: 'Records a second, at most' },
  ...writingArgs('5'),
  'max-bytes': {
    type: 'string',
    default: '1048576',
    valueHint: 'BYTES',
    description: 'What a record may hold; the topic has a bound of its own (max.message.bytes)',
  },
} satisfies ArgsDef;

/** What the producer sets aside beside a record. */
const REQUEST_OVERHEAD_BYTES = 2048;
const REQUEST_MAX_BYTES = 100 * 1024 * 1024;
const RATE_MAX = 100_000_000;
/** To acknowledge what was read, when the end comes by Ctrl-C. */
const CLOSE_TIMEOUT_MS = 5_000;
/** As JSON a record can be longer than its bytes: base64, escapes, names. */
const LINE_FACTOR = 8;

/** `milena produce`: a record a line of stdin. */
export const produce = command({
  name: 'produce',
  description: 'Write records from stdin, one a line',
  args,
  completes: { topic: 'topic' },
  async run({ args: given, every, report, signal }) {
    const maxBytes = integerIn('--max-bytes', given['max-bytes'], 1, REQUEST_MAX_BYTES);
    const options = { ...writingOptions(given), requestMaxBytes: maxBytes + REQUEST_OVERHEAD_BYTES };
    const rate = given.rate === undefined ? undefined : integerIn('--rate', given.rate, 1, RATE_MAX);
    const read = readerOf(given, { headers: headersIn(every('header')) });
    if (process.stdin.isTTY) report.note('one record a line; Ctrl-D ends');
    const client = await connectTo(given, { report, signal });
    using _ = watch(client, report);
    try {
      const run = new ProduceRun(client.producer(options), { topic: given.topic, report, signal, rate });
      await run.lines(linesOf(addAbortSignal(signal, process.stdin), maxBytes * LINE_FACTOR), read);
    } finally {
      // Nobody reads it any more: it would keep the process.
      process.stdin.destroy();
      // What went wrong with a record is known by now.
      await client.close({ timeoutMs: CLOSE_TIMEOUT_MS }).catch(() => {});
    }
  },
});

interface Given {
  raw?: boolean | undefined;
  key?: string | undefined;
  partition?: string | undefined;
  'key-separator'?: string | undefined;
}

function readerOf(given: Given, { headers }: { headers: { key: string; value: string }[] }): ReadLine {
  const separator = given['key-separator']?.replaceAll(String.raw`\t`, '\t');
  if (separator !== undefined && !given.raw) throw usage('--key-separator is for --raw');
  const key = given.key ?? null;
  const all = {
    ...(headers.length === 0 ? {} : { headers }),
    ...(given.partition === undefined
      ? {}
      : { partition: integerIn('--partition', given.partition, 0, 0x7fff_ffff) }),
  };
  if (separator !== undefined) return (line) => ({ ...all, ...split(line, Buffer.from(separator), key) });
  if (given.raw) return (value) => ({ ...all, key, value });
  return (line) => {
    const text = UTF8.decode(line);
    if (text.trim() === '') return undefined;
    const record = recordOf(text);
    const own = record.headers as { key: string; value: RecordBytes | null }[] | undefined;
    return {
      ...record,
      ...all,
      key: record.key ?? key,
      ...(own === undefined ? {} : { headers: [...own, ...headers] }),
    };
  };
}

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function split(
  line: Uint8Array,
  separator: Buffer,
  otherwise: string | null,
): { key: RecordBytes | null; value: Uint8Array } {
  const at = Buffer.from(line.buffer, line.byteOffset, line.length).indexOf(separator);
  if (at < 0) return { key: otherwise, value: line };
  return { key: line.subarray(0, at), value: line.subarray(at + separator.length) };
}

function headersIn(given: readonly string[]): { key: string; value: string }[] {
  return given.map((text) => {
    const at = text.indexOf('=');
    if (at < 1) throw usage(`--header takes name=value, not "${text}"`);
    return { key: text.slice(0, at), value: text.slice(at + 1) };
  });
}
