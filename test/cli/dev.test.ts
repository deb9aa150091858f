import { once } from 'node:events';
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { tryLines } from '../../src/cli/try-lines.ts';
import { RawClient, batch, fetchOne, produce } from '../gateway/harness.ts';
import { metadataApi } from '../../src/wire/apis/03-metadata.ts';
import type { Ready } from '../support/broker-process.ts';
import { upgrade } from '../websocket/upgrade.ts';
import { Run } from './milena.ts';

/** `milena dev` of the built package, as a person or a script meets it. */

const FREE_PORTS = ['--port', '0', '--http-port', '0'];

let directory: string;
let runs: Run[];
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'milena-cli-'));
  runs = [];
});
afterEach(async () => {
  await Promise.all(runs.map((run) => run.ended('SIGKILL')));
  await rm(directory, { recursive: true });
});

function milena(...args: string[]): Run {
  const run = Run.milena(...args);
  runs.push(run);
  return run;
}

function shell(line: string): Run {
  const run = Run.shell(line);
  runs.push(run);
  return run;
}

async function readyOf(run: Run): Promise<Ready> {
  const [line] = await run.printed(/^\{"event":"ready".*\}$/m);
  return JSON.parse(line) as Ready;
}

/** Three lines at most: what happened, what to do, the next command; no stack. */
function expectForPeople(stderr: string): void {
  expect(stderr).toMatch(/^error\[[A-Z_]+\]: .+\n(?: {2}.+\n){0,2}$/);
}

describe('a broker starts', () => {
  test('--json prints one line a script can read; probes answer', async () => {
    const run = milena('dev', '--memory', '--json', ...FREE_PORTS);
    const ready = await readyOf(run);
    expect(ready).toMatchObject({ event: 'ready', data: null, flush: 'always', pid: run.child.pid });
    expect(ready.kafka.host).toBe('127.0.0.1');
    expect(ready.webSocket).toBe(`ws://127.0.0.1:${ready.http.port}/kafka`);
    const probe = async (path: string, method = 'GET') => {
      const response = await fetch(`http://${ready.http.host}:${ready.http.port}${path}`, { method });
      return [response.status, await response.text()];
    };
    expect(await probe('/livez')).toEqual([200, 'ok\n']);
    expect(await probe('/readyz')).toEqual([200, 'ok\n']);
    expect(await probe('/readyz?verbose=1')).toEqual([200, 'ok\n']);
    expect(await probe('/readyz', 'HEAD')).toEqual([200, '']);
    expect((await probe('/nothing'))[0]).toBe(404);
    expect((await probe('/..%2fbin%2fmilena.js'))[0]).toBe(404);
    expect((await probe('/../bin/milena.js'))[0]).toBe(404);
    expect(await probe('/', 'HEAD')).toEqual([200, '']);
    expect((await probe('/livez', 'POST'))[0]).toBe(405);
    expect(await run.ended('SIGTERM')).toBe(0);
    expect(
      run.stdout
        .trim()
        .split('\n')
        .map((line) => (JSON.parse(line) as Ready & { event: string }).event),
    ).toEqual(['ready', 'stopped']);
    expect(run.stderr).toBe('');
  });

  test('a page of an allowed origin may come in, others may not', async () => {
    const run = milena('dev', '--memory', '--json', ...FREE_PORTS, '--allow-origin', 'http://localhost:5173');
    const { http } = await readyOf(run);
    const from = async (origin: string) => {
      const { status, socket } = await upgrade({ port: http.port, headers: { origin } });
      socket.destroy();
      return status;
    };
    expect([await from('http://localhost:5173'), await from('http://localhost:3000')]).toEqual([101, 403]);
    expect(await run.ended('SIGTERM')).toBe(0);
  });

  test('what it prints for people: addresses, where the data is, and three lines that work', async () => {
    const run = milena('dev', '--data', directory, ...FREE_PORTS);
    await run.logged(/Ctrl-C stops it/);
    expect(run.stderr).toMatch(/^milena ready in \d+ ms$/m);
    expect(run.stderr).toMatch(/^ {2}http {3}http:\/\/127\.0\.0\.1:\d+ /m);
    const [, webSocket = ''] = await run.logged(/^ {2}ws {5}(ws:\S+) /m);
    const upgraded = new WebSocket(webSocket);
    await once(upgraded, 'open');
    upgraded.close();
    const [, metrics = ''] = await run.logged(/^ {2}http {3}(\S+) {2}\(\/metrics,/m);
    expect(await (await fetch(`${metrics}/metrics`)).text()).toContain('\nmilena_topics 0\n');
    expect(run.stderr).toContain(`data   ${directory}  (flush=always: an ack means flushed)`);
    const [, page = ''] = await run.logged(/^ {2}page {3}(\S+) /m);
    const [html, script] = await Promise.all(['', 'web.js'].map((path) => fetch(`${page}${path}`)));
    expect(html?.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(await html?.text()).toContain("from '/web.js'");
    expect(script?.headers.get('content-type')).toBe('text/javascript; charset=utf-8');
    expect(await script?.text()).toContain('as publish');
    const [, address = ''] = await run.logged(/^ {2}kafka {2}(\S+)$/m);
    const lines = run.stderr.split('\n').flatMap((line) => (line.startsWith('  node ') ? [line.trim()] : []));
    expect(lines).toEqual(tryLines(address));
    const [write = '', read = '', list = ''] = lines;
    const written = shell(write);
    expect([await written.ended(), written.stderr]).toEqual([0, '']);
    expect(written.stdout).toContain('greetings');
    const reader = shell(read);
    expect((await reader.printed(/^0 .*$/m))[0]).toBe('0 hello');
    reader.child.kill();
    const listed = shell(list);
    expect([await listed.ended(), listed.stderr]).toEqual([0, '']);
    expect(listed.stdout).toContain('greetings');

    // Ctrl-C says what was kept; the reader's group is internal and does not count.
    expect(await run.ended('SIGINT')).toBe(130);
    expect(run.stderr).toMatch(/stopped; kept 1 topic in .*\. The same command goes on from there\./);
  });

  test('it goes on from where it stopped', async () => {
    const first = milena('dev', '--json', '--data', directory, ...FREE_PORTS);
    const topic = { name: 'kept', id: '' };
    const writer = await RawClient.connect((await readyOf(first)).kafka);
    await writer.send(metadataApi, 12, { topics: [{ name: topic.name }] });
    expect((await produce(writer, topic, batch(['hello']))).errorCode).toBe(0);
    expect(await first.ended('SIGTERM')).toBe(0);

    const second = milena('dev', '--json', '--data', directory, ...FREE_PORTS);
    const reader = await RawClient.connect((await readyOf(second)).kafka);
    const { records, highWatermark } = await fetchOne(reader, { topic });
    expect([Buffer.from(records ?? []).includes('hello'), highWatermark]).toEqual([true, 1]);
    reader.destroy();
    expect(await second.ended('SIGTERM')).toBe(0);
  });
});

describe('a broker stops', () => {
  test('SIGTERM does not wait for readers that wait', async () => {
    const run = milena('dev', '--memory', ...FREE_PORTS);
    const [, port = ''] = await run.logged(/^ {2}kafka {2}\S+:(\d+)$/m);
    const client = await RawClient.connect({ host: '127.0.0.1', port: Number(port) });
    const topic = { name: 'quiet', id: '' };
    await client.send(metadataApi, 12, { topics: [{ name: topic.name }] });
    const other = await RawClient.connect({ host: '127.0.0.1', port: Number(port) });
    const waiting = fetchOne(client, { topic }, { maxWaitMs: 600_000 }).catch(
      (error: Error) => error.message,
    );
    await other.send(metadataApi, 12, { topics: [] });
    expect(await run.ended('SIGTERM')).toBe(0);
    expect(await waiting).toBe('connection closed');
    expect(run.stderr).toContain('stopped; 1 topic lived in memory and are gone');
  });

  test('Ctrl-C of a broker in memory', async () => {
    const run = milena('dev', '--memory', ...FREE_PORTS);
    await run.logged(/Ctrl-C stops it/);
    expect(await run.ended('SIGINT')).toBe(130);
    expect(run.stderr).toContain('stopped; 0 topics lived in memory');
  });
});

describe('what it cannot do it says in words', () => {
  test.each(['--port', '--http-port'])('%s in use: by whom, and what to do', async (option) => {
    const holder = createServer().listen({ port: 0, host: '127.0.0.1' });
    const { port } = await new Promise<AddressInfo>((resolve) =>
      holder.once('listening', () => resolve(holder.address() as AddressInfo)),
    );
    const run = milena('dev', '--memory', ...FREE_PORTS, option, String(port));
    expect(await run.ended()).toBe(1);
    holder.close();
    expectForPeople(run.stderr);
    // Who holds it is something only Linux tells us.
    const by = process.platform === 'linux' ? ` by process ${process.pid} (` : '';
    expect(run.stderr).toContain(`error[PORT_IN_USE]: port ${port} is taken${by}`);
    expect(run.stderr).toContain(`choose another with ${option}; port 0 picks a free one`);
  });

  test('a directory that another broker holds', async () => {
    const holder = milena('dev', '--json', '--data', directory, ...FREE_PORTS);
    const { pid } = await readyOf(holder);
    const run = milena('dev', '--data', directory, ...FREE_PORTS);
    expect(await run.ended()).toBe(1);
    expectForPeople(run.stderr);
    expect(run.stderr).toContain(`${directory} is in use by process ${pid}`);
    expect(await holder.ended('SIGTERM')).toBe(0);
  });

  test('a directory of something else is left as it is', async () => {
    await writeFile(join(directory, 'thesis.txt'), 'do not touch');
    const run = milena('dev', '--data', directory, ...FREE_PORTS);
    expect(await run.ended()).toBe(1);
    expectForPeople(run.stderr);
    expect(run.stderr).toContain(directory);
    expect(await readdir(directory)).toEqual(['thesis.txt']);
    expect(await readFile(join(directory, 'thesis.txt'), 'utf8')).toBe('do not touch');
  });

  test('a file where the directory should be', async () => {
    const file = join(directory, 'file');
    await writeFile(file, '');
    const run = milena('dev', '--data', file, ...FREE_PORTS);
    expect(await run.ended()).toBe(1);
    expectForPeople(run.stderr);
    expect(run.stderr).toContain(file);
  });

  test.each([
    ['an unknown option', ['dev', '--memroy'], 'there is no option --memroy'],
    ['an unknown short option', ['dev', '-p', '0'], 'there is no option -p'],
    ['an unknown option alone', ['--bogus'], 'there is no option --bogus before a command'],
    ['a stray word', ['dev', 'memory'], '"memory" belongs to no option'],
    ['no value where one is needed', ['dev', '--data', '--memory'], '--data needs a value'],
    ['an empty value', ['dev', '--data='], '--data needs a value'],
    ['a last option without its value', ['dev', '--memory', '--port'], '--port needs a value'],
    ['a value where none is taken', ['dev', '--memory=no'], '--memory takes no value'],
    ['a port that is taken back', ['dev', '--no-port'], 'there is no option --no-port'],
    ['an unknown command', ['develop'], 'there is no command "develop"'],
    [
      'an origin with a path',
      ['dev', '--memory', '--allow-origin', '*,http://localhost:5173/app'],
      '--allow-origin takes origins such as https://app.example.com, not "http://localhost:5173/app"',
    ],
    [
      'a port that is no number',
      ['dev', '--port', 'kafka'],
      '--port takes a whole number from 0 to 65535, not "kafka"',
    ],
    [
      'a port beyond all ports',
      ['dev', '--http-port', '65536'],
      '--http-port takes a whole number from 0 to 65535',
    ],
    ['a flush nobody has', ['dev', '--memory', '--flush', 'sometimes'], 'flush'],
  ])('%s: exit 2', async (_, args, message) => {
    const run = milena(...args);
    expect(await run.ended()).toBe(2);
    expectForPeople(run.stderr);
    expect(run.stderr).toContain(message);
  });

  test('an address that is not ours', async () => {
    const run = milena('dev', '--memory', ...FREE_PORTS, '--host', '192.0.2.1');
    expect(await run.ended()).toBe(1);
    expectForPeople(run.stderr);
    expect(run.stderr).toContain('choose an address of this machine with --host');
  });

  test('--help and --version', async () => {
    for (const [args, said] of [
      [['--help'], 'dev'],
      [['dev', '--help'], '--http-port'],
      [[], 'dev'],
      [['--version'], '0.1.0'],
    ] as const) {
      const run = milena(...args);
      expect(await run.ended()).toBe(0);
      expect(run.stdout).toContain(said);
    }
  });
});
