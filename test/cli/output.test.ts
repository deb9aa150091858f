import type { ArgsDef } from 'citty';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { canonical } from '../../src/cli/options.ts';
import { CliError } from '../../src/cli/errors.ts';
import { BrokerError, ConnectionLost, MilenaError } from '../../src/client/errors.ts';
import { ErrorCode } from '../../src/model/errors.ts';
import { printable } from '../../src/cli/terminal/printable.ts';
import { table } from '../../src/cli/terminal/table.ts';
import { MILENA } from '../support/broker-process.ts';
import { Run } from './milena.ts';

let folder: string;
let environment: Record<string, string>;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'milena-output-'));
  environment = { MILENA_CONTEXTS: join(folder, 'contexts.json') };
  for (const name of ['staging', 'prod'])
    await ended('context', 'add', name, `wss://${name}.example.com/kafka`);
});
afterAll(() => rm(folder, { recursive: true }));

async function ended(...args: string[]) {
  const run = Run.milenaWith({ environment }, ...args);
  const code = await run.ended();
  return { code, stdout: run.stdout, stderr: run.stderr };
}

/** As it would be seen, and raw. */
async function onTerminal(args: readonly string[], { columns = 80, noColor = '' } = {}) {
  const run = Run.terminal({ columns, environment: { ...environment, NO_COLOR: noColor } }, ...args);
  const code = await run.ended();
  const raw = run.stdout.replaceAll('\r', '');
  return { code, raw, seen: stripVTControlCharacters(raw) };
}

describe('stdout carries only data', () => {
  test('in a pipe: a row a line, tabs between cells, no head, no colour', async () => {
    const { stdout, stderr, code } = await ended('context', 'ls');
    expect(stdout.split('\n').map((line) => line.split('\t').slice(0, 2))).toEqual([
      ['staging', 'wss://staging.example.com/kafka'],
      ['prod', 'wss://prod.example.com/kafka'],
      [''],
    ]);
    expect({ stderr, code }).toEqual({ stderr: '', code: 0 });
  });

  test('with --json: one document that says its version', async () => {
    const { stdout } = await ended('context', 'ls', '--json');
    expect(JSON.parse(stdout)).toMatchObject({
      version: 1,
      contexts: [{ name: 'staging' }, { name: 'prod' }],
    });
  });

  test('what is said beside it goes to stderr; -q says nothing', async () => {
    const said = await ended('context', 'add', 'local', 'localhost');
    expect(said).toMatchObject({ stdout: '', stderr: expect.stringContaining('context local is kafka://') });
    expect(await ended('context', 'rm', 'local', '-q')).toEqual({ code: 0, stdout: '', stderr: '' });
  });

  test('on a terminal: an aligned table with a head', async () => {
    const { seen, raw } = await onTerminal(['context', 'ls'], { columns: 200 });
    const [head = '', first = ''] = seen.split('\n');
    expect(head).toMatch(/^name {5}url +in use {2}file$/);
    expect(first.indexOf('wss:')).toBe(head.indexOf('url'));
    expect(raw).toContain('\u{1b}[1m');
  });

  test('a narrow terminal gets a narrow table; NO_COLOR no colour', async () => {
    const { seen, raw } = await onTerminal(['context', 'ls'], { columns: 40, noColor: '1' });
    for (const line of seen.split('\n')) expect(line.length).toBeLessThanOrEqual(40);
    expect(seen).toContain('…');
    expect(raw).not.toContain('\u{1b}[');
  });

  test('help in a pipe has no colour either', async () => {
    for (const args of [['--help'], ['context', '--help'], ['context', 'add', '--help']]) {
      const { stdout, code } = await ended(...args);
      expect(stdout).toContain('USAGE');
      expect(stdout).not.toContain('\u{1b}');
      expect(code).toBe(0);
    }
  });

  test('help has options as they are typed, a column each', async () => {
    const { stdout } = await ended('topics', 'ls', '--help');
    expect(stdout).toMatch(/^ *-b, --broker, --url=<URL> {4}Broker/m);
    expect(stdout).not.toMatch(/(?<!-)-broker/);
    const lines = stdout.split('\n').filter((line) => line.startsWith('  ') && line.includes('--'));
    expect(new Set(lines.map((line) => line.search(/ {4}\S*$|(?<=\S) {4}(?=\S)/))).size).toBe(1);
  });

  test('a reader that has read enough is no failure', async () => {
    const run = Run.shell(`sh -c '{ node ${MILENA} --help; echo "exit $?" >&2; } | true'`);
    await run.ended();
    expect(run.stderr).toBe('exit 0\n');
  });
});

describe('errors', () => {
  test('say what, what to do, and the next command', async () => {
    const { code, stdout, stderr } = await ended('context', 'use', 'stagin');
    expect(stderr).toBe(
      'error[UNKNOWN_CONTEXT]: there is no context stagin\n  did you mean staging?\n  milena context ls\n',
    );
    expect({ code, stdout }).toEqual({ code: 3, stdout: '' });
  });

  test('with --json: an object, on stderr', async () => {
    const { code, stdout, stderr } = await ended('context', 'use', 'stagin', '--json');
    expect(JSON.parse(stderr)).toEqual({
      version: 1,
      error: {
        code: 'UNKNOWN_CONTEXT',
        message: 'there is no context stagin',
        hint: 'did you mean staging?',
        next: 'milena context ls',
        exitCode: 3,
      },
    });
    expect({ code, stdout }).toEqual({ code: 3, stdout: '' });
  });

  test('nobody answers: exit code 5', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    server.close();
    const { code, stderr } = await ended('export', 'orders', '--broker', `127.0.0.1:${port}`);
    expect(code).toBe(5);
    expect(stderr).toMatch(/^error\[UNREACHABLE\]: .*ECONNREFUSED/);
  });

  test.each([
    [new ConnectionLost('gone'), 5],
    [new BrokerError(ErrorCode.UNKNOWN_TOPIC_OR_PARTITION), 3],
    [new BrokerError(ErrorCode.GROUP_ID_NOT_FOUND), 3],
    [new BrokerError(ErrorCode.TOPIC_AUTHORIZATION_FAILED), 4],
    [new BrokerError(ErrorCode.REQUEST_TIMED_OUT), 5],
    [new BrokerError(ErrorCode.INVALID_PARTITIONS), 1],
    [new MilenaError('late', { code: 'DELIVERY_TIMEOUT' }), 5],
    [new MilenaError('what?', { code: 'INVALID_ARGUMENT' }), 2],
    [new Error('a bug'), 1],
    ['no error at all', 1],
  ])('%s exits with %i', (error, exitCode) => {
    expect(CliError.from(error).exitCode).toBe(exitCode);
  });

  test.each([
    [['topcis'], /there is no command "topcis"/],
    [['context', 'adds'], /there is no command "context adds"\n {2}did you mean add\?/],
    [['context', 'add'], /Missing required positional argument: NAME/],
    [['context', 'ls', '--jsn'], /there is no option --jsn/],
    [['context', 'add', 'a', 'kafka:///'], /is no URL/],
  ])('%j is a usage error', async (args, said) => {
    const { code, stderr } = await ended(...args);
    expect(stderr).toMatch(said);
    expect(code).toBe(2);
  });
});

describe('arguments', () => {
  const args: ArgsDef = {
    topic: { type: 'positional' },
    key: { type: 'string', alias: ['k', 'id'] },
    all: { type: 'boolean', alias: 'a' },
    raw: { type: 'boolean', alias: 'r' },
  };

  test.each([
    [
      ['t', '-k', 'x'],
      ['--key=x', '--', 't'],
    ],
    [
      ['--id=a=b', 't'],
      ['--key=a=b', '--', 't'],
    ],
    [['-k', '-5m'], ['--key=-5m']],
    [
      ['-ar', '--no-raw'],
      ['--all', '--raw', '--no-raw'],
    ],
    [
      ['--', '-t'],
      ['--', '-t'],
    ],
    [['-'], ['--', '-']],
  ])('%j', (given, expected) => {
    expect(canonical(given, args)).toEqual(expected);
  });

  test.each([
    [['-k']],
    [['-k', '--all']],
    [['--all=1']],
    [['a', 'b']],
    [['-x']],
    [['--no-key']],
    [['--toString']],
  ])('%j is refused', (given) => {
    expect(() => canonical(given, args)).toThrow(CliError);
  });

  test('many words, where a command takes many', () => {
    expect(canonical(['a', 'b', 'c'], args, { hasMany: true })).toEqual(['--', 'a', 'b', 'c']);
  });
});

test('what others named cannot steer the terminal', () => {
  expect(printable('a\u{1b}[2Jb\nc\td\u202e')).toBe(String.raw`a\u001b[2Jb\nc\td\u202e`);
});

test('numbers stand to the right, and the widest column gives way', () => {
  const rows = [
    { name: 'a'.repeat(30), count: 5 },
    { name: 'b', count: 1234 },
  ];
  const columns = [
    { head: 'name', of: ({ name }: (typeof rows)[0]) => name },
    { head: 'count', of: ({ count }: (typeof rows)[0]) => count },
  ];
  expect(table(columns, rows, { width: 20, colour: false })).toBe(
    ['name           count', 'aaaaaaaaaaaa…      5', 'b               1234'].join('\n'),
  );
});
