import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { BatchHeader } from '../../src/records/header.ts';
import { TestBroker, batch, fetchOne, produce } from '../gateway/harness.ts';
import { TransferHome } from './transfer-home.ts';

/** Files that lie, brokers that refuse, names that are not there: what is said, and what is in the topic then. */

let home: TransferHome;
beforeEach(async () => {
  home = await TransferHome.open();
});
afterEach(() => home.close());

const line = (fields: object) =>
  JSON.stringify({ topic: 't', partition: 0, timestamp: 1, value: 'v', ...fields });

describe('a file that lies', () => {
  beforeEach(async () => {
    const client = await home.server.client();
    await home.server.topic(client, { name: 't', partitions: 2 });
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
    const run = home.milena(['import', 't', '--broker', home.broker], lines.join('\n'));
    expect(await run.ended()).toBe(1);
    expect(run.stderr).toContain(`error[BAD_INPUT]: ${message}`);
    const upTo = kept === 0 ? 'nothing' : 'line [12]';
    expect(run.stderr).toMatch(
      new RegExp(`^ {2}${kept} records are in the topic, up to ${upTo}; go on with --skip ${kept}$`, 'm'),
    );
    expect((await home.exported('t', '--broker', home.broker)).split('\n').filter(Boolean)).toHaveLength(
      kept,
    );
  });

  test('bytes that are no UTF-8', async () => {
    const bytes = Buffer.concat([Buffer.from(`${line({})}\n`), Buffer.of(0xff, 0x0a)]);
    const run = home.milena(['import', 't', '--broker', home.broker], bytes);
    expect(await run.ended()).toBe(1);
    expect(run.stderr).toContain('line 2: not UTF-8');
  });

  test('raw: every byte that is changed or missing is noticed, and where', async () => {
    const client = await home.server.client();
    const topic = { name: 't', id: '' };
    await produce(client, topic, batch(['one', 'two']));
    await produce(client, topic, batch(['three']));
    const raw = await home.exportedRaw('t.raw', 't', '--broker', home.broker);
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
      const run = home.milena(['import', 't', '--format', 'raw', '--broker', home.broker], bytes);
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
    const client = await home.server.client();
    await home.server.topic(client, { name: 'compact', configs: { 'cleanup.policy': 'compact' } });
    const lines = [line({ key: 'a' }), line({ key: null }), line({ key: 'b' })];
    const run = home.milena(['import', 'compact', '--broker', home.broker], lines.join('\n'));
    expect(await run.ended()).toBe(1);
    expect(run.stderr).toContain('error[IMPORT_STOPPED]: line 2: compact-0 refused it: INVALID_RECORD');
    expect(run.stderr).toContain('0 records are in the topic, up to nothing; go on with --skip 0');
    const mended = [lines[0], line({ key: 'c' }), lines[2]].join('\n');
    await home.imported(['compact', '--broker', home.broker, '--skip', '1'], mended);
    expect(await home.exported('compact', '--broker', home.broker)).toMatch(/"key":"c".*\n.*"key":"b"/);
  });

  test('Ctrl-C: what is in, and how to go on', async () => {
    await home.server.topic(await home.server.client(), { name: 't', partitions: 2 });
    const run = home.pending(['import', 't', '--broker', home.broker], `${`${line({})}\n`.repeat(20_000)}`);
    // The first round is full, the rest waits for more of stdin.
    const reader = await home.server.client();
    const isThere = async () => (await fetchOne(reader, { topic: { name: 't', id: '' } })).highWatermark > 0;
    await vi.waitUntil(isThere, { timeout: 20_000, interval: 20 });
    expect(await run.ended('SIGINT')).toBe(130);
    const [, kept] =
      /^ {2}(\d+) records are in the topic, up to line \1; go on with --skip \1$/m.exec(run.stderr) ?? [];
    expect(Number(kept)).toBeGreaterThan(0);
    const { highWatermark } = await fetchOne(reader, { topic: { name: 't', id: '' } });
    expect(highWatermark).toBeGreaterThanOrEqual(Number(kept));
  });

  test('a topic that is not there, a broker that is not there, a directory that is none', async () => {
    await home.fill('source');
    const cases: [string[], number, string][] = [
      [
        ['export', 'sorce', '--broker', home.broker],
        3,
        'error[UNKNOWN_TOPIC]: there is no topic sorce\n  did you mean source?',
      ],
      [['import', 'none', '--broker', home.broker], 3, 'make it with --partitions N'],
      [
        ['export', 'source', '--broker', '127.0.0.1:1'],
        5,
        'error[UNREACHABLE]: 127.0.0.1:1: connect ECONNREFUSED',
      ],
      [['export', 'source', '--data', home.directory], 1, `${home.directory} is no data directory`],
      [
        ['import', 'source', '--data', home.directory],
        3,
        `error[NO_DATA]: ${home.directory} is no data directory`,
      ],
      [
        ['export', 'source', '--broker', 'here:there'],
        2,
        '"here:there" in "kafka://here:there" is not host:port',
      ],
      [
        ['export', 'source', '--broker', home.broker, '--partition', '2'],
        2,
        '--partition takes a whole number from 0 to 1',
      ],
      [['export', 'source', '--from', 'noon'], 2, '--from takes an offset or a time, not "noon"'],
      [['export'], 2, 'TOPIC'],
      [['export', 'a', 'b'], 2, '"b" belongs to no option'],
    ];
    for (const [args, code, message] of cases) {
      const run = home.milena(args, '');
      expect([args, await run.ended(), run.stdout, run.stderr]).toEqual([
        args,
        code,
        '',
        expect.stringContaining(message),
      ]);
    }
  });

  test('what answers but is no Kafka broker', async () => {
    const other = await TestBroker.start({ httpPort: 0 });
    const run = home.milena(['export', 'source', '--broker', `127.0.0.1:${other.broker.http?.port}`]);
    expect(await run.ended()).toBe(5);
    await other.close();
    expect(run.stderr).toMatch(/no Kafka broker|closed the connection/);
  });
});
