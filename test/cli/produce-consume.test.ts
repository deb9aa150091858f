import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { stripVTControlCharacters } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { MILENA } from '../support/broker-process.ts';
import { Run } from './milena.ts';
import { ndjson, PipedHome } from './piped-home.ts';

/** How many lines go through both commands: `MANY_LINES=1000000 npm test -- produce-consume` takes a million. */
const LINES = Number(process.env['MANY_LINES'] ?? 50_000);

let home: PipedHome;
beforeAll(async () => {
  home = await PipedHome.open();
});
afterAll(() => home.close());

interface Line {
  partition: number;
  offset: number;
  timestamp: number;
  key: string | null;
  value: unknown;
  headers: [string, unknown][];
}

async function linesOf(topic: string, ...args: string[]): Promise<Line[]> {
  const stdout = await home.out(['consume', topic, '--exit', ...args]);
  return stdout.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as Line]));
}

/** Lines with all that a line can be: empty, not UTF-8, long, JSON. */
function* manyLines(count: number): Generator<Buffer> {
  for (let at = 0; at < count; at++) {
    if (at % 1_000 === 1) yield Buffer.from('\n');
    else if (at % 1_000 === 2) yield Buffer.from([0xff, 0x00, 0xfe, 0x0a]);
    else if (at % 10_000 === 3) yield Buffer.from(`${'long '.repeat(40_000)}\n`);
    else yield Buffer.from(`{"id":${at},"name":"žluťoučký ${at}"}\n`);
  }
}

test(`${LINES} lines come out as they went in`, { timeout: 300_000 }, async () => {
  const topic = await home.topic('many-lines');
  const producing = home.pending(['produce', topic, '--raw']);
  const sent = createHash('sha256');
  const { stdin } = producing.child;
  for (const line of manyLines(LINES)) {
    sent.update(line);
    if (stdin?.write(line) === false) await once(stdin, 'drain');
  }
  stdin?.end();
  expect(await producing.ended()).toBe(0);
  expect(producing.stderr).toMatch(new RegExp(`^produced ${LINES} records to many-lines`));

  const consuming = home.pending(['consume', topic, '--raw', '--exit']);
  const received = createHash('sha256');
  consuming.child.stdout?.removeAllListeners('data').on('data', (chunk: Buffer) => received.update(chunk));
  expect(await consuming.ended()).toBe(0);
  expect(received.digest('hex')).toBe(sent.digest('hex'));
});

describe('a record a line', () => {
  test('what one topic gives another takes, whatever is in it', async () => {
    const [first, second] = [await home.topic('first', 3), await home.topic('second', 3)];
    const records = [
      {
        key: 'k',
        value: 'text',
        headers: [
          ['a', '1'],
          ['a', null],
        ],
        timestamp: 1_700_000_000_000,
      },
      { key: null, value: null, partition: 2 },
      { value: { base64: '/wA=' }, key: { base64: '/g==' }, partition: 1 },
      { value: '', key: '' },
    ];
    await home.out(['produce', first], ndjson(records));
    const given = await linesOf(first);
    await home.out(['produce', second], ndjson(given));
    const place = (line: Line) => `${line.partition}:${line.offset}`;
    const sorted = (lines: Line[]) =>
      lines.map((line) => ({ ...line, topic: '' })).toSorted((a, b) => place(a).localeCompare(place(b)));
    expect(sorted(await linesOf(second))).toEqual(sorted(given));
    expect(given).toHaveLength(4);
    expect(given.find(({ key }) => key === 'k')).toMatchObject({
      value: 'text',
      headers: [
        ['a', '1'],
        ['a', null],
      ],
      timestamp: 1_700_000_000_000,
    });
  });

  test('what export writes produce takes, and import what consume writes: all find the broker alike', async () => {
    const [from, to, copy] = [await home.topic('from'), await home.topic('to'), await home.topic('copy')];
    await home.out(['produce', from], '{"key":"a","value":"1"}\n{"key":"b","value":null}\n');
    await home.out(['produce', to], await home.out(['export', from]));
    await home.out(['import', copy], await home.out(['consume', to, '--exit']));
    expect((await linesOf(copy)).map(({ key, value }) => [key, value])).toEqual([
      ['a', '1'],
      ['b', null],
    ]);
  });

  test('JSON that is no text is itself; headers may be an object', async () => {
    const topic = await home.topic('json-values');
    await home.out(
      ['produce', topic],
      '{"value":{"eur":9.5},"headers":{"source":"web"}}\n\n{"value":[1,2]}\n{"value":7}',
    );
    const lines = await linesOf(topic);
    expect(lines.map(({ value }) => value)).toEqual([{ eur: 9.5 }, [1, 2], '7']);
    const copy = await home.topic('json-copied');
    const written = '{"id":12345678901234567890, "eur": 9.50}';
    await home.out(['produce', topic, '--raw'], written);
    await home.out(['produce', copy], await home.out(['consume', topic, '--exit']));
    expect(await home.out(['consume', copy, '--exit', '--raw'])).toBe(`{"eur":9.5}\n[1,2]\n7\n${written}\n`);
    expect(lines[0]?.headers).toEqual([['source', 'web']]);
  });

  test('key and headers for all; a key of its own is stronger', async () => {
    const topic = await home.topic('for-all');
    await home.out(
      ['produce', topic, '-k', 'all', '-H', 'a=1', '-H', 'b=x=y'],
      ndjson([{ value: '1' }, { value: '2', key: 'own', headers: { c: '3' } }]),
    );
    const [first, second] = await linesOf(topic);
    expect(first).toMatchObject({
      key: 'all',
      headers: [
        ['a', '1'],
        ['b', 'x=y'],
      ],
    });
    expect(second).toMatchObject({
      key: 'own',
      headers: [
        ['c', '3'],
        ['a', '1'],
        ['b', 'x=y'],
      ],
    });
  });

  test('a line that is none stops it; what stands before is written', async () => {
    const topic = await home.topic('bad-line');
    const { code, stderr, stdout } = await home.run(
      ['produce', topic],
      '{"value":"a"}\n{"value":"b"}\n{"valeu":"c"}\n',
    );
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toBe(
      'error[BAD_INPUT]: line 3: "valeu" is no field of a record; with --raw the whole line is the value\n' +
        '  2 records before that are in the topic\n',
    );
    expect(await linesOf(topic)).toHaveLength(2);
  });

  test.each([
    ['no JSON', '{', /line 1: not JSON/],
    ['no object', '[1]', /line 1: not a JSON object/],
    ['no value', '{"key":"a"}', /line 1: it has no "value"/],
    ['not UTF-8', Uint8Array.of(0xff), /line 1: it is not UTF-8; --raw takes any bytes/],
    ['a partition that is none', '{"value":"a","partition":-1}', /partition must be a whole number/],
    ['a partition that is not there', '{"value":"a","partition":9}', /line 1: .* has no partition 9/],
    [
      'a record that is too large',
      `{"value":"${'x'.repeat(2_000_000)}"}`,
      /line 1: a record of 20000\d\d bytes.*\n.*--max-bytes/,
    ],
  ])('%s', async (_, input, said) => {
    const { code, stderr } = await home.run(
      ['produce', await home.topic(`refused-${_.replaceAll(' ', '-')}`)],
      input,
    );
    expect(stderr).toMatch(said);
    expect(code).toBeGreaterThan(0);
  });

  test('a line that is too long is refused before it is whole', async () => {
    const topic = await home.topic('too-long');
    const { code, stderr } = await home.run(
      ['produce', topic, '--raw', '--max-bytes', '1000'],
      `ok\n${'x'.repeat(1e6)}`,
    );
    expect(stderr).toMatch(
      /error\[BAD_INPUT\]: line 2: longer than 8000 bytes\n {2}raise --max-bytes.*\n {2}1 records before that/,
    );
    expect(code).toBe(1);
  });
});

describe('raw lines', () => {
  test('a key, a separator, the value', async () => {
    const topic = await home.topic('separated');
    await home.out(['produce', topic, '--raw', '-K', String.raw`\t`, '-k', 'none'], 'a\t1\tx\n\t2\nplain\n');
    expect((await linesOf(topic)).map(({ key, value }) => [key, value])).toEqual([
      ['a', '1\tx'],
      ['', '2'],
      ['none', 'plain'],
    ]);
  });

  test('to one partition, at a rate, with a codec', async () => {
    const topic = await home.topic('one-partition', 3);
    const args = ['--partition', '2', '--rate', '1000', '--compression', 'zstd', '--json'];
    const stdout = await home.out(['produce', topic, '--raw', ...args], 'a\nb\nc\n');
    expect(JSON.parse(stdout)).toMatchObject({ version: 1, topic, records: 3, bytes: 3 });
    expect((await linesOf(topic)).map(({ partition, value }) => [partition, value])).toEqual([
      [2, 'a'],
      [2, 'b'],
      [2, 'c'],
    ]);
  });
});

describe('what is read', () => {
  const values = (lines: readonly Line[]) => lines.map(({ value }) => value);
  let topic: string;
  beforeAll(async () => {
    topic = await home.topic('read-some');
    const records = Array.from({ length: 20 }, (_, at) => ({
      key: `k${at % 3}`,
      value: { at, name: `n${at}` },
      timestamp: 1_700_000_000_000 + 1_000 * at,
    }));
    await home.out(['produce', topic], ndjson(records));
  });

  test.each([
    [
      ['--from', '18'],
      [18, 19],
    ],
    [
      ['--from', '-2'],
      [18, 19],
    ],
    [
      ['--to', '2'],
      [0, 1],
    ],
    [
      ['--from', '2023-11-14T22:13:23Z', '--to', '2023-11-14T22:13:25Z'],
      [3, 4],
    ],
    [
      ['--from', '5', '-n', '2'],
      [5, 6],
    ],
    [
      ['--tail', '3'],
      [17, 18, 19],
    ],
    [['--where', 'value.at >= 17 && key == "k0"'], [18]],
    [['--from', 'latest'], []],
    [['--from', '-1h', '--to', 'now'], []],
    [['--partition', '0', '--tail', '1'], [19]],
  ])('%j', async (args, expected) => {
    expect(values(await linesOf(topic, ...args))).toEqual(expected.map((at) => ({ at, name: `n${at}` })));
  });

  test('as a template says', async () => {
    const stdout = await home.out([
      'consume',
      topic,
      '-e',
      '-n',
      '1',
      '-f',
      String.raw`%t/%p:%o %k=%v %K %S %d %%\n`,
    ]);
    expect(stdout).toBe('read-some/0:0 k0={"at":0,"name":"n0"} 2 20 2023-11-14T22:13:20.000Z %\n');
  });

  test('on a terminal: for the eye', async () => {
    const run = Run.terminal({}, 'consume', topic, '-n', '1', '--url', home.url);
    expect(await run.ended()).toBe(0);
    expect(stripVTControlCharacters(run.stdout)).toBe(
      '2023-11-14T22:13:20.000Z  0:0  k0  {"at":0,"name":"n0"}\r\n',
    );
  });

  test('the newest of several partitions, then what comes', async () => {
    const several = await home.topic('several', 4);
    const records = Array.from({ length: 40 }, (_, at) => ({
      partition: (at * 7) % 4,
      value: `${at}`,
      timestamp: 1_700_000_000_000 + at,
    }));
    await home.out(['produce', several], ndjson(records));
    const run = home.pending(['consume', several, '--tail', '5', '-f', String.raw`%v\n`]);
    await run.printed(/^39$/m);
    expect(run.stdout).toBe('35\n36\n37\n38\n39\n');
    await home.out(['produce', several, '--raw'], 'new\n');
    await run.printed(/^new$/m);
  });

  test('the tail of a topic that is empty is what comes', async () => {
    const empty = await home.topic('empty', 2);
    const run = home.pending(['consume', empty, '--tail', '5', '--raw', '-n', '1']);
    await home.out(['produce', empty, '--raw'], 'first\n');
    expect(await run.ended()).toBe(0);
    expect(run.stdout).toBe('first\n');
  });

  test('several topics at once', async () => {
    const other = await home.topic('read-other');
    await home.out(['produce', other, '--raw'], 'x\n');
    const stdout = await home.out(['consume', topic, other, '-e', '-f', String.raw`%t\n`]);
    expect(new Set(stdout.trim().split('\n'))).toEqual(new Set([topic, other]));
  });
});

describe('ends', () => {
  test('a reader that has read enough is success', async () => {
    const topic = await home.topic('read-enough');
    await home.out(['produce', topic, '--raw'], 'a line\n'.repeat(100_000));
    const line = `sh -c '{ node ${MILENA} consume ${topic} --url ${home.url}; echo "exit $?" >&2; } | head -n 1'`;
    const run = Run.shell(line);
    await run.ended();
    expect(run.stderr).toBe('exit 0\n');
    expect(run.stdout).toMatch(/^\{.*\}\n$/);
  });

  test('Ctrl-C while it waits for more: 130, and nothing is said', async () => {
    const topic = await home.topic('waits');
    await home.out(['produce', topic, '--raw'], 'x\n');
    const run = home.pending(['consume', topic, '--raw']);
    await run.printed(/^x$/m);
    expect(await run.ended('SIGINT')).toBe(130);
    expect(run.stderr).toBe('');
  });

  test('Ctrl-C while it writes: what was read is in the topic, and counted', async () => {
    const topic = await home.topic('interrupted');
    const run = home.pending(['produce', topic, '--raw']);
    run.child.stdin?.write('a\nb\nand half a li');
    const seen = home.pending(['consume', topic, '--raw', '-n', '2']);
    expect(await seen.ended()).toBe(0);
    expect(await run.ended('SIGINT')).toBe(130);
    expect(run.stderr).toBe('error[INTERRUPTED]: interrupted\n  2 records are in the topic\n');
  });

  test('Ctrl-C while no broker answers: what is unsure is said to be', async () => {
    const other = await PipedHome.open();
    const topic = await other.topic('unsure');
    const run = other.pending(['produce', topic, '--raw']);
    run.child.stdin?.write('a\n');
    expect(await other.out(['consume', topic, '--raw', '-n', '1'])).toBe('a\n');
    await other.broker.close({ timeoutMs: 0 });
    run.child.stdin?.write('b\nc\n');
    // It has read them once it tries to write.
    await run.logged(/^warning: the broker does not answer/m);
    expect(await run.ended('SIGINT')).toBe(130);
    expect(run.stderr).toContain('it was read up to line 3: what was on its way may be in the topic or not');
  });

  test('a topic that is not there', async () => {
    await home.topic('orders');
    const { code, stderr } = await home.run(['consume', 'order', '--exit']);
    expect(stderr).toBe(
      'error[UNKNOWN_TOPIC]: there is no topic order\n  did you mean orders?\n  milena topics ls\n',
    );
    expect(code).toBe(3);
  });

  test.each([
    [['consume', 'orders', '--raw', '--json'], /exclude each other/],
    [['consume', 'orders', '--from', 'yesterday'], /--from takes an offset or a time/],
    [['consume', 'orders', '--tail', '1', '--from', '1'], /--tail says where to begin/],
    [['consume', 'orders', '--where', 'value.'], /--where, column 7/],
    [['consume', 'orders', '-f', '%x'], /there is no %x/],
    [['produce', 'orders', '-H', 'novalue'], /--header takes name=value/],
    [['produce', 'orders', '-K', ','], /--key-separator is for --raw/],
    [['produce', 'orders', '--acks', '2'], /acks/],
    [['produce', 'no/such/name', '--raw'], /INVALID_TOPIC|topic names/],
  ])('%j', async (args, said) => {
    const { code, stderr } = await home.run(args, 'x\n');
    expect(stderr).toMatch(said);
    expect(code).not.toBe(0);
  });
});
