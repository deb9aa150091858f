import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { nodeCodecs } from '../../src/hosts/node/codecs.ts';
import { loadKernels } from '../../src/kernels/load.ts';
import { recompress } from '../../src/records/builder.ts';
import { BatchHeader, forEachBatch } from '../../src/records/header.ts';
import { TestBroker, batch, produce } from '../gateway/harness.ts';
import { MILENA } from '../support/broker-process.ts';
import { Run } from './milena.ts';

/** `milena export` and `milena import` of the built package, against a broker and against its files. */

const kernels = await loadKernels();
const utf8 = new TextEncoder();

let directory: string;
let server: TestBroker;
let runs: Run[];
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'milena-transfer-'));
  server = await TestBroker.start({ directory: join(directory, 'data') });
  runs = [];
});
afterEach(async () => {
  await Promise.all(runs.map((run) => run.ended('SIGKILL')));
  await server.close();
  await rm(directory, { recursive: true });
});

const broker = () => `127.0.0.1:${server.broker.kafka.port}`;
const data = () => join(directory, 'data');

function milena(args: readonly string[], input?: string | Uint8Array): Run {
  const run = Run.milenaWith(input === undefined ? {} : { input }, ...args);
  runs.push(run);
  return run;
}

async function exported(...args: string[]): Promise<string> {
  const run = milena(['export', ...args]);
  expect([await run.ended(), run.stderr]).toEqual([0, '']);
  return run.stdout;
}

/** Bytes of an export: stdout of a `Run` is text. */
async function exportedRaw(name: string, ...args: string[]): Promise<Buffer> {
  const path = join(directory, name);
  const run = Run.shell(`node '${MILENA}' export --format raw ${args.join(' ')} > '${path}'`);
  runs.push(run);
  expect([await run.ended(), run.stderr]).toEqual([0, '']);
  return readFile(path);
}

async function imported(args: readonly string[], input: string | Uint8Array): Promise<void> {
  const run = milena(['import', ...args], input);
  expect([await run.ended(), run.stdout, run.stderr]).toEqual([
    0,
    '',
    expect.stringMatching(/^imported \d+ records\n$/),
  ]);
}

/** Two partitions with all there is: codecs, bytes that are no text, tombstones, headers twice, gaps in time. */
async function fill(name: string): Promise<{ name: string; id: string }> {
  const client = await server.client();
  const topic = await server.topic(client, { name, partitions: 2 });
  const tools = { kernels, codecs: nodeCodecs() };
  const odd = { key: Uint8Array.of(0xff, 0), value: Uint8Array.of(0xc3), timestamp: 1_700_000_000_000 };
  const headers = [
    { key: 'a', value: utf8.encode('1') },
    { key: 'a', value: null },
    { key: 'b', value: Uint8Array.of(0x80) },
  ];
  const batches = [
    batch([{ key: utf8.encode('k'), value: utf8.encode('žluť'), headers }, odd]),
    ...[1, 2, 3, 4].map((codec) =>
      recompress(tools, batch(['x'.repeat(500), { key: utf8.encode('gone'), value: null }]), codec),
    ),
  ];
  for (const [at, each] of batches.entries())
    expect((await produce(client, topic, await each, { partition: at % 2 })).errorCode).toBe(0);
  return topic;
}

describe('a topic out and in again', () => {
  test('as lines: partitions, timestamps, bytes, tombstones and headers stay', async () => {
    await fill('source');
    const lines = await exported('source', '--broker', broker());
    const [first = ''] = lines.split('\n');
    expect(JSON.parse(first)).toEqual({
      ...{ topic: 'source', partition: 0, offset: 0, timestamp: 1_000, timestampType: 'CreateTime' },
      ...{ key: 'k', value: 'žluť' },
      headers: [
        ['a', '1'],
        ['a', null],
        ['b', { base64: 'gA==' }],
      ],
    });
    expect(lines.trim().split('\n')).toHaveLength(10);
    await imported(['copy', '--partitions', '2', '--broker', broker()], lines);
    const copy = await exported('copy', '--broker', broker());
    expect(copy).toBe(lines.replaceAll('"topic":"source"', '"topic":"copy"'));
  });

  test('as batches: record blocks byte for byte, compression included; only the sender is another', async () => {
    await fill('source');
    const raw = await exportedRaw('a.raw', 'source', '--broker', broker());
    await imported(['copy', '--format', 'raw', '--partitions', '2', '--broker', broker()], raw);
    const copy = await exportedRaw('b.raw', 'copy', '--broker', broker());
    const blocks = (file: Uint8Array, name: string) => {
      const found: unknown[] = [];
      for (let at = 8 + 2 + name.length; new DataView(file.buffer, file.byteOffset).getInt32(at) >= 0;) {
        const header = new BatchHeader(file, at + 4);
        const { baseOffset, attributes, baseTimestamp, maxTimestamp, recordsCount } = header;
        found.push([
          baseOffset,
          attributes,
          baseTimestamp,
          maxTimestamp,
          recordsCount,
          header.recordBytes.slice(),
        ]);
        at += 4 + header.sizeBytes;
      }
      return found;
    };
    expect(blocks(raw, 'source')).toHaveLength(5);
    expect(blocks(copy, 'copy')).toEqual(blocks(raw, 'source'));
  });

  test('the files of a stopped node say what the node said, and stay as they are', async () => {
    await fill('source');
    const lines = await exported('source', '--broker', broker());
    const raw = await exportedRaw('a.raw', 'source', '--broker', broker());
    const busy = milena(['export', 'source', '--data', data()]);
    expect([await busy.ended(), busy.stdout]).toEqual([1, '']);
    expect(busy.stderr).toContain(`is in use by process ${process.pid}`);

    await server.broker.close();
    expect(await exported('source', '--data', data())).toBe(lines);
    expect(await exportedRaw('b.raw', 'source', '--data', data())).toEqual(raw);
    // What is imported there goes through the node it belongs to.
    await imported(['copy', '--data', data(), '--partitions', '2'], lines);
    expect(await exported('copy', '--data', data())).toBe(
      lines.replaceAll('"topic":"source"', '"topic":"copy"'),
    );
    server = await TestBroker.start({ directory: data() });
    expect(await exported('source', '--broker', broker())).toBe(lines);
  });

  test('by offset and by time, from a broker and from files alike', async () => {
    const client = await server.client();
    const topic = await server.topic(client, { name: 'timed' });
    for (let at = 0; at < 4; at++) {
      const values = [0, 1, 2].map((more) => ({
        timestamp: 1_000 * (3 * at + more),
        value: utf8.encode(`v${3 * at + more}`),
      }));
      expect((await produce(client, topic, batch(values))).errorCode).toBe(0);
    }
    const asked: [string[], number[]][] = [
      [
        ['--from', '4', '--to', '7'],
        [4, 5, 6],
      ],
      [
        ['--from', '10'],
        [10, 11],
      ],
      [['--to', '1'], [0]],
      [
        ['--from', '1970-01-01T00:00:04Z', '--to', '1970-01-01T00:00:06.500Z'],
        [4, 5, 6],
      ],
      [['--from=-1h'], []],
      [['--from', '99'], []],
      [['--to', 'now', '--from', '11'], []],
    ];
    const offsets = (text: string) =>
      Array.from(text.matchAll(/"offset":(\d+)/g), ([, offset]) => Number(offset));
    const results = async (where: readonly string[]) => {
      const found: number[][] = [];
      for (const [range] of asked) found.push(offsets(await exported('timed', ...where, ...range)));
      return found;
    };
    // `now` is later than every record: nothing lies at or after it, so the end is the end.
    const expected = asked.map(([range, wanted]) => (range.includes('now') ? [11] : wanted));
    expect(await results(['--broker', broker()])).toEqual(expected);
    await server.broker.close();
    expect(await results(['--data', data()])).toEqual(expected);
    server = await TestBroker.start();
  });
});

describe('streams', () => {
  test('a hundred thousand records in and out, in order; a reader that leaves is no failure', async () => {
    const count = 100_000;
    const text = Array.from({ length: count }, (_, at) =>
      JSON.stringify({
        topic: 'many',
        partition: at % 3,
        timestamp: at,
        key: `k${at}`,
        value: 'x'.repeat(60),
      }),
    ).join('\n');
    await imported(['many', '--partitions', '3', '--broker', broker()], text);
    const out = await exported('many', '--broker', broker());
    const keys = Array.from(out.matchAll(/"partition":(\d),.*?"key":"k(\d+)"/g), ([, , key]) => Number(key));
    const expected = [0, 1, 2].flatMap((partition) =>
      Array.from({ length: Math.ceil((count - partition) / 3) }, (_, at) => 3 * at + partition),
    );
    expect(keys).toEqual(expected);

    const head = milena(['export', 'many', '--broker', broker()]);
    const { stdout } = head.child;
    if (stdout === null) throw new Error('stdout is a pipe');
    await once(stdout, 'data');
    stdout.destroy();
    expect([await head.ended(), head.stderr]).toEqual([0, '']);
  });

  test('a disk that is full is one', async () => {
    await fill('source');
    const run = Run.shell(`node '${MILENA}' export source --broker ${broker()} > /dev/full`);
    runs.push(run);
    expect(await run.ended()).toBe(1);
    expect(run.stderr).toContain('ENOSPC');
  });
});

const line = (fields: object) =>
  JSON.stringify({ topic: 't', partition: 0, timestamp: 1, value: 'v', ...fields });

describe('a file that lies', () => {
  beforeEach(async () => {
    const client = await server.client();
    await server.topic(client, { name: 't', partitions: 2 });
  });

  test.each([
    ['is cut within a line', [line({}), line({}).slice(0, 30)], 'line 2: not JSON', 1],
    [
      'names a partition that is not there',
      [line({}), line({ partition: 2 })],
      'line 2: partition 2 is not there: the topic has 2, 0 to 1',
      1,
    ],
    [
      'has offsets that fall',
      [line({ offset: 5 }), '', line({ offset: 5 })],
      'line 3: offset 5 after 5 of partition 0',
      1,
    ],
    [
      'is of two topics',
      [line({}), line({ topic: 'u' })],
      'line 2: topic u after t: one topic is imported at a time',
      1,
    ],
    ['misspells a field', [line({ vale: 1 })], 'line 1: "vale" is no field of a record', 0],
  ])('%s: refused at that line, what came before is in', async (_, lines, message, kept) => {
    const run = milena(['import', 't', '--broker', broker()], lines.join('\n'));
    expect(await run.ended()).toBe(1);
    expect(run.stderr).toContain(`error[BAD_INPUT]: ${message}`);
    const upTo = kept === 0 ? 'nothing' : 'line [12]';
    expect(run.stderr).toMatch(
      new RegExp(`^ {2}${kept} records are in the topic, up to ${upTo}; go on with --skip ${kept}$`, 'm'),
    );
    expect((await exported('t', '--broker', broker())).split('\n').filter(Boolean)).toHaveLength(kept);
  });

  test('bytes that are no UTF-8', async () => {
    const bytes = Buffer.concat([Buffer.from(`${line({})}\n`), Buffer.of(0xff, 0x0a)]);
    const run = milena(['import', 't', '--broker', broker()], bytes);
    expect(await run.ended()).toBe(1);
    expect(run.stderr).toContain('line 2: not UTF-8');
  });

  test('raw: every byte that is changed or missing is noticed, and where', async () => {
    const client = await server.client();
    const topic = { name: 't', id: '' };
    await produce(client, topic, batch(['one', 'two']));
    await produce(client, topic, batch(['three']));
    const raw = await exportedRaw('t.raw', 't', '--broker', broker());
    const headBytes = 8 + 2 + 1;
    const secondAt = headBytes + 4 + new BatchHeader(raw, headBytes + 4).sizeBytes;
    const flipped = (at: number) =>
      Buffer.from(raw.map((byte, index) => (index === at ? byte ^ 0x40 : byte)));
    const cases: [string, Buffer, string][] = [
      [
        'another file',
        Buffer.from('{"topic":"t"}\n'),
        'byte 0: this is no file of `milena export --format raw`',
      ],
      ['a record', flipped(secondAt + 4 + 70), `byte ${secondAt}: the checksum of a batch is wrong`],
      ['a length', flipped(secondAt + 4 + 8), `byte ${secondAt}: a batch of`],
      ['a partition', flipped(secondAt + 3), `byte ${secondAt}: partition 64 is not there`],
      ['its end', raw.subarray(0, -12), `byte ${raw.length - 12}: the file is cut short`],
      [
        'its count',
        flipped(raw.length - 1),
        `byte ${raw.length - 12}: the file tells of 66 batches and holds 2`,
      ],
      [
        'a tail',
        Buffer.concat([raw, Buffer.from('x')]),
        `byte ${raw.length - 12}: something follows the end`,
      ],
      ['half a batch', raw.subarray(0, secondAt + 30), `byte ${secondAt}: the file is cut short`],
      ['packed', gzipSync(raw), 'byte 0: this is no file of'],
    ];
    for (const [name, bytes, message] of cases) {
      const run = milena(['import', 't', '--format', 'raw', '--broker', broker()], bytes);
      expect([name, await run.ended(), run.stderr]).toEqual([
        name,
        1,
        expect.stringContaining(`error[BAD_INPUT]: ${message}`),
      ]);
    }
  });
});

describe('where it stops it says', () => {
  test('at the record a broker refuses, and what can be skipped then', async () => {
    const client = await server.client();
    await server.topic(client, { name: 'compact', configs: { 'cleanup.policy': 'compact' } });
    const lines = [line({ key: 'a' }), line({ key: null }), line({ key: 'b' })];
    const run = milena(['import', 'compact', '--broker', broker()], lines.join('\n'));
    expect(await run.ended()).toBe(1);
    expect(run.stderr).toContain('error[IMPORT_STOPPED]: line 2: compact-0 refused it: INVALID_RECORD');
    expect(run.stderr).toContain('0 records are in the topic, up to nothing; go on with --skip 0');
    const mended = [lines[0], line({ key: 'c' }), lines[2]].join('\n');
    await imported(['compact', '--broker', broker(), '--skip', '1'], mended);
    expect(await exported('compact', '--broker', broker())).toMatch(/"key":"c".*\n.*"key":"b"/);
  });

  test('a topic that is not there, a broker that is not there, a directory that is none', async () => {
    await fill('source');
    const cases: [string[], number, string][] = [
      [
        ['export', 'sorce', '--broker', broker()],
        3,
        'error[UNKNOWN_TOPIC]: there is no topic sorce\n  did you mean source?',
      ],
      [['import', 'none', '--broker', broker()], 3, 'make it with --partitions N'],
      [
        ['export', 'source', '--broker', '127.0.0.1:1'],
        5,
        'error[UNREACHABLE]: 127.0.0.1:1: connect ECONNREFUSED',
      ],
      [['export', 'source', '--data', directory], 1, `${directory} is no data directory`],
      [['import', 'source', '--data', directory], 3, `error[NO_DATA]: ${directory} is no data directory`],
      [['export', 'source', '--broker', 'here'], 2, '--broker takes host:port, not "here"'],
      [
        ['export', 'source', '--broker', broker(), '--partition', '2'],
        2,
        '--partition takes a whole number from 0 to 1',
      ],
      [['export', 'source', '--from', 'noon'], 2, '--from takes an offset or a time, not "noon"'],
      [['export'], 2, 'TOPIC'],
      [['export', 'a', 'b'], 2, '"b" belongs to no option'],
    ];
    for (const [args, code, message] of cases) {
      const run = milena(args, '');
      expect([args, await run.ended(), run.stdout, run.stderr]).toEqual([
        args,
        code,
        '',
        expect.stringContaining(message),
      ]);
    }
  });

  test('what answers but is no Kafka broker', async () => {
    const { http } = await TestBroker.start({ httpPort: 0 }).then((other) => {
      const found = other.broker;
      runs.push({ ended: () => other.close().then(() => null) } as unknown as Run);
      return found;
    });
    const run = milena(['export', 'source', '--broker', `127.0.0.1:${http?.port}`]);
    expect(await run.ended()).toBe(5);
    expect(run.stderr).toMatch(/no Kafka broker|closed the connection/);
  });
});

test('what stands in a raw file is what lies in the segment', async () => {
  await fill('source');
  const raw = await exportedRaw('a.raw', 'source', '--partition', '0', '--broker', broker());
  await server.broker.close();
  const segment = await readFile(join(data(), 'source-0', `${'0'.repeat(20)}.log`));
  const parts: Buffer[] = [];
  forEachBatch(segment, (header) => parts.push(Buffer.from([0, 0, 0, 0]), Buffer.from(header.bytes)));
  expect(raw.subarray(8 + 2 + 'source'.length, -12)).toEqual(Buffer.concat(parts));
  server = await TestBroker.start();
});
