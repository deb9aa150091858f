import { readFile } from 'node:fs/promises';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { BatchHeader, forEachBatch } from '../../src/records/header.ts';
import { batch, produce } from '../gateway/harness.ts';
import { MILENA } from '../support/broker-process.ts';
import { Run } from './milena.ts';
import { TransferHome } from './transfer-home.ts';

/** `milena export` and `milena import` of the built package, against a broker and against its files. */

const utf8 = new TextEncoder();

let home: TransferHome;
beforeEach(async () => {
  home = await TransferHome.open();
});
afterEach(() => home.close());

describe('a topic out and in again', () => {
  test('as lines: partitions, timestamps, bytes, tombstones and headers stay', async () => {
    await home.fill('source');
    const lines = await home.exported('source', '--broker', home.broker);
    const [first = ''] = lines.split('\n');
    expect(JSON.parse(first)).toEqual({
      topic: 'source',
      partition: 0,
      offset: 0,
      timestamp: 1_000,
      timestampType: 'CreateTime',
      key: 'k',
      value: 'žluť',
      headers: [
        ['a', '1'],
        ['a', null],
        ['b', { base64: 'gA==' }],
      ],
    });
    expect(lines.trim().split('\n')).toHaveLength(10);
    await home.imported(['copy', '--partitions', '2', '--broker', home.broker], lines);
    const copy = await home.exported('copy', '--broker', home.broker);
    expect(copy).toBe(lines.replaceAll('"topic":"source"', '"topic":"copy"'));
  });

  test('as batches: record blocks byte for byte, compression included; only the sender is another', async () => {
    await home.fill('source');
    const raw = await home.exportedRaw('a.raw', 'source', '--broker', home.broker);
    await home.imported(['copy', '--format', 'raw', '--partitions', '2', '--broker', home.broker], raw);
    const copy = await home.exportedRaw('b.raw', 'copy', '--broker', home.broker);
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
    await home.fill('source');
    const lines = await home.exported('source', '--broker', home.broker);
    const raw = await home.exportedRaw('a.raw', 'source', '--broker', home.broker);
    const busy = home.milena(['export', 'source', '--data', home.data]);
    expect([await busy.ended(), busy.stdout]).toEqual([1, '']);
    expect(busy.stderr).toContain(`is in use by process ${process.pid}`);

    await home.server.broker.close();
    expect(await home.exported('source', '--data', home.data)).toBe(lines);
    expect(await home.exportedRaw('b.raw', 'source', '--data', home.data)).toEqual(raw);
    // What is imported there goes through the node it belongs to.
    await home.imported(['copy', '--data', home.data, '--partitions', '2'], lines);
    expect(await home.exported('copy', '--data', home.data)).toBe(
      lines.replaceAll('"topic":"source"', '"topic":"copy"'),
    );
    await home.restart();
    expect(await home.exported('source', '--broker', home.broker)).toBe(lines);
  });

  test('by offset and by time, from a broker and from files alike', async () => {
    const client = await home.server.client();
    const topic = await home.server.topic(client, { name: 'timed' });
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
      for (const [range] of asked) found.push(offsets(await home.exported('timed', ...where, ...range)));
      return found;
    };
    // `now` is later than every record: nothing lies at or after it, so the end is the end.
    const expected = asked.map(([range, wanted]) => (range.includes('now') ? [11] : wanted));
    expect(await results(['--broker', home.broker])).toEqual(expected);
    await home.server.broker.close();
    expect(await results(['--data', home.data])).toEqual(expected);
    await home.restart();
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
    await home.imported(['many', '--partitions', '3', '--broker', home.broker], text);
    const out = await home.exported('many', '--broker', home.broker);
    const keys = Array.from(out.matchAll(/"partition":(\d),.*?"key":"k(\d+)"/g), ([, , key]) => Number(key));
    const expected = [0, 1, 2].flatMap((partition) =>
      Array.from({ length: Math.ceil((count - partition) / 3) }, (_, at) => 3 * at + partition),
    );
    expect(keys).toEqual(expected);

    const head = home.milena(['export', 'many', '--broker', home.broker]);
    const { stdout } = head.child;
    if (stdout === null) throw new Error('stdout is a pipe');
    await once(stdout, 'data');
    stdout.destroy();
    expect([await head.ended(), head.stderr]).toEqual([0, '']);
  });

  test('a disk that is full is one', async () => {
    await home.fill('source');
    const run = Run.shell(`node '${MILENA}' export source --broker ${home.broker} > /dev/full`);
    home.runs.push(run);
    expect(await run.ended()).toBe(1);
    expect(run.stderr).toContain('ENOSPC');
  });
});

test('what stands in a raw file is what lies in the segment', async () => {
  await home.fill('source');
  const raw = await home.exportedRaw('a.raw', 'source', '--partition', '0', '--broker', home.broker);
  await home.server.broker.close();
  const segment = await readFile(join(home.data, 'source-0', `${'0'.repeat(20)}.log`));
  const parts: Buffer[] = [];
  forEachBatch(segment, (header) => parts.push(Buffer.from([0, 0, 0, 0]), Buffer.from(header.bytes)));
  expect(raw.subarray(8 + 2 + 'source'.length, -12)).toEqual(Buffer.concat(parts));
  await home.restart();
});
