import { createHash } from 'node:crypto';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { NodeFiles } from '../../src/hosts/node/files.ts';
import type { Files } from '../../src/ports/files.ts';
import type { SegmentStore } from '../../src/segments/store.ts';
import type { LogWrite } from '../../src/ports/log-store.ts';
import { append, appends, logName, offsetsOf } from '../storage/batches.ts';
import { identity, openStore } from './open.ts';

const roots: string[] = [];
let directory = '';
beforeEach(async () => {
  const root = await mkdtemp(join(tmpdir(), 'milena-segments-'));
  roots.push(root);
  directory = `${root}/data`;
});
afterAll(() => Promise.all(roots.map((root) => rm(root, { recursive: true }))));

const { log } = logName(1);
const create: LogWrite = { type: 'create', ...logName(1) };
const open = (options = {}): Promise<SegmentStore> => openStore(new NodeFiles(), { directory, ...options });

test('looks as a Kafka directory does', async () => {
  const store = await open();
  await store.commit([create, ...appends(log, 0, 3), { type: 'roll', log }, ...appends(log, 3, 5)]);
  await store.commit([{ type: 'trim', log, beforeOffset: 1 }]);
  await store.close();
  expect((await readdir(directory)).sort()).toEqual([
    '.kafka_cleanshutdown',
    'log-start-offset-checkpoint',
    'meta.properties',
    'milena.format',
    'milena.logs',
    'recovery-point-offset-checkpoint',
    'topic1-0',
  ]);
  expect((await readdir(`${directory}/topic1-0`)).sort()).toEqual([
    '00000000000000000000.index',
    '00000000000000000000.log',
    '00000000000000000000.timeindex',
    '00000000000000000003.log',
    'partition.metadata',
  ]);
  const content = async (name: string) => readFile(`${directory}/${name}`, 'utf8');
  expect(await content('recovery-point-offset-checkpoint')).toBe('0\n1\ntopic1 0 5\n');
  expect(await content('log-start-offset-checkpoint')).toBe('0\n1\ntopic1 0 1\n');
  expect(await content('topic1-0/partition.metadata')).toBe(`version: 0\ntopic_id: ${logName(1).topicId}\n`);
  expect(await content('meta.properties')).toBe(
    `version=1\ncluster.id=cluster\nnode.id=1\ndirectory.id=${identity.directoryId}\n`,
  );
});

test('keeps the identity it was made with', async () => {
  await (await open()).close();
  const store = await open({
    identity: { ...identity, clusterId: 'another', directoryId: 'BAAAAAAAAAAAAAAAAAAAAA' },
  });
  expect(store.identity).toEqual(identity);
  await store.close();
  await expect(open({ identity: { ...identity, nodeId: 2 } })).rejects.toThrow(
    'belongs to node 1, this is node 2',
  );
});

describe('a directory that is not ours to open', () => {
  test('a foreign one is named, with what it holds, and left as it was', async () => {
    await mkdir(directory);
    for (const name of ['package.json', 'notes.txt']) await writeFile(`${directory}/${name}`, '');
    await expect(open()).rejects.toThrow(/no data directory: .* holds notes\.txt, package\.json\. Choose/);
    expect((await readdir(directory)).sort()).toEqual(['notes.txt', 'package.json']);
  });

  test('one of a newer version', async () => {
    await (await open()).close();
    await writeFile(`${directory}/milena.format`, 'version=4\n');
    await expect(open()).rejects.toThrow('newer Milena (format 4, this one reads up to 3)');
  });

  test.each([
    ['version=0\nbroker.id=1\n', 'of version 0, of a Kafka with ZooKeeper'],
    ['version=2\ncluster.id=abc\nnode.id=1\n', 'is damaged, or newer: it is not of version 1'],
    ['version=1\ncluster.id=abc\nnode.id=one\n', 'is damaged, or newer'],
    ['version=1\ncluster.id=abc\nnode.id=1\ndirectory.id=../x\n', 'is damaged, or newer'],
    ['\0\0\0\0', 'is damaged, or newer'],
    ['version=1\ncluster.id=abc\nnode.id=7\n', 'belongs to node 7, this is node 1'],
  ])('one whose meta.properties are %j, and it is left as it was', async (content, why) => {
    await mkdir(directory);
    await writeFile(`${directory}/meta.properties`, content);
    await expect(open()).rejects.toThrow(why);
    expect(await readFile(`${directory}/meta.properties`, 'utf8')).toBe(content);
    expect(await readdir(directory)).toEqual(['meta.properties']);
  });

  test('one that has lost its meta.properties is not given a new identity', async () => {
    const store = await open();
    await store.commit([create]);
    await store.close();
    await rm(`${directory}/meta.properties`);
    await expect(open()).rejects.toThrow('meta.properties is missing, but there are logs (topic1-0)');
  });

  test.each(['', 'version=', 'version=x\n', 'version=0\n'])(
    'one whose milena.format is %j',
    async (content) => {
      await (await open()).close();
      await writeFile(`${directory}/milena.format`, content);
      await expect(open()).rejects.toThrow('milena.format is damaged: it says no version');
    },
  );

  test('one that Kafka made is opened', async () => {
    await mkdir(directory);
    await writeFile(
      `${directory}/meta.properties`,
      '#\n#Fri Jan 02 10:00:00 UTC 2026\ncluster.id=abc\ndirectory.id=AQIDBAUGBwgJCgsMDQ4PEA\nnode.id=1\nversion=1\n',
    );
    await writeFile(`${directory}/.lock`, '');
    const store = await open();
    expect(store.identity).toEqual({ clusterId: 'abc', nodeId: 1, directoryId: 'AQIDBAUGBwgJCgsMDQ4PEA' });
    await store.close();
  });
});

describe('the lock', () => {
  const holder = (content: object) => writeFile(`${directory}/.lock`, JSON.stringify(content));

  test('keeps a second store of this process out, until the first is closed', async () => {
    const store = await open();
    await expect(open()).rejects.toThrow(`in use by process ${process.pid}: stop it`);
    await store.close();
    await (await open()).close();
  });

  test('names a live process that holds it', async () => {
    await (await open()).close();
    const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
    await once(child, 'spawn');
    await holder({ pid: child.pid, started: '' });
    await expect(open()).rejects.toThrow(`in use by process ${child.pid}: stop it (kill ${child.pid})`);
    child.kill('SIGKILL');
    await once(child, 'exit');
    await (await open()).close();
  });

  test.each([
    ['a process of an earlier boot with our number', { pid: process.pid, started: 'earlier' }],
    ['a live process that took the number later', { pid: process.ppid, started: 'earlier:1' }],
    ['nobody: it is torn', {}],
  ])('is taken over from %s', async (_, content) => {
    await (await open()).close();
    await holder(content);
    const store = await open();
    expect(JSON.parse(await readFile(`${directory}/.lock`, 'utf8'))).toMatchObject({ pid: process.pid });
    await store.close();
    expect(await readdir(directory)).not.toContain('.lock');
  });

  test('goes to one of many processes that find it stale at once', async () => {
    await (await open()).close();
    await holder({ pid: process.pid, started: 'earlier' });
    const module = new URL('../../src/hosts/node/file-lock.ts', import.meta.url).href;
    const script = `const { lockDirectory } = await import(${JSON.stringify(module)});
      try { await lockDirectory(process.argv[1]); console.log('held'); } catch { console.log('refused'); }
      process.stdin.resume();`;
    const children = Array.from({ length: 6 }, () =>
      spawn(process.execPath, ['--input-type=module', '-e', script, directory]),
    );
    const said = await Promise.all(
      children.map(async ({ stdout }) => String((await once(stdout, 'data'))[0])),
    );
    expect(said.filter((word) => word.trim() === 'held')).toHaveLength(1);
    await Promise.all(children.map((child) => (child.stdin.end(), once(child, 'exit'))));
    expect((await readdir(directory)).filter((name) => name.startsWith('.lock.'))).toEqual([]);
  });

  test("a process that died while it took a stale lock over is in nobody's way", async () => {
    await (await open()).close();
    const gone = { pid: process.pid, started: 'earlier' };
    await holder(gone);
    const claim = createHash('sha256').update(JSON.stringify(gone)).digest('hex').slice(0, 16);
    await writeFile(`${directory}/.lock.${claim}`, JSON.stringify({ pid: process.pid, started: 'then' }));
    await (await open()).close();
    expect((await readdir(directory)).filter((name) => name.startsWith('.lock'))).toEqual([]);
  });
});

describe('what a crash left unfinished', () => {
  test('deleted logs, logs not made, drafts of files are cleared away', async () => {
    const store = await open();
    await store.commit([create, append({ log, baseOffset: 0 })]);
    await store.close();
    await mkdir(`${directory}/gone-0.0123456789abcdef0123456789abcdef-delete`);
    await writeFile(`${directory}/gone-0.0123456789abcdef0123456789abcdef-delete/x.log`, 'x');
    await mkdir(`${directory}/half-0`);
    await writeFile(`${directory}/topic1-0/quorum-state.tmp`, 'x');
    const next = await open();
    expect(next.logs()).toEqual([logName(1)]);
    await next.open(log);
    expect(await next.names(log)).toEqual([]);
    await next.close();
    const names = await readdir(directory);
    expect(names.filter((name) => name.includes('gone') || name.includes('half'))).toEqual([]);
    expect(await readdir(`${directory}/topic1-0`)).not.toContain('quorum-state.tmp');
  });

  test('a log without its id is left alone, with a warning, until the topic of its name is asked for', async () => {
    const store = await open();
    await store.commit([create, append({ log, baseOffset: 0 })]);
    await store.close();
    await rm(`${directory}/milena.logs`);
    await rm(`${directory}/topic1-0/partition.metadata`);
    const warnings: string[] = [];
    const next = await open({ onWarning: (message: string) => warnings.push(message) });
    expect(next.logs()).toEqual([]);
    expect(warnings.join()).toContain('no partition.metadata');
    expect(await readdir(`${directory}/topic1-0`)).toContain('00000000000000000000.log');
    await next.commit([create]);
    expect(await next.open(log)).toEqual({ logStartOffset: 0, logEndOffset: 1 });
    expect(warnings.join()).toContain(`topic1-0: taken for the log of topic id ${logName(1).topicId}`);
    await next.commit([append({ log, baseOffset: 1 })]);
    await next.close();
    const again = await open();
    expect(again.logs()).toEqual([logName(1)]);
    expect(await again.open(log)).toEqual({ logStartOffset: 0, logEndOffset: 2 });
    await again.close();
  });

  test('a name whose topic has a new id gets a new log; what the old id left is moved aside', async () => {
    const store = await open();
    await store.commit([create, append({ log, baseOffset: 0 })]);
    await store.close();
    const warnings: string[] = [];
    const next = await open({ onWarning: (message: string) => warnings.push(message) });
    const successor = logName(2, 'topic1');
    await next.commit([{ type: 'create', ...successor }]);
    expect(next.logs()).toEqual([successor]);
    expect(await next.open(successor.log)).toEqual({ logStartOffset: 0, logEndOffset: 0 });
    await next.close();
    const stray = (await readdir(directory)).find((name) => name.endsWith('-stray'));
    expect(await readdir(`${directory}/${stray}`)).toContain('00000000000000000000.log');
    expect(warnings.join()).toContain('-stray');
  });

  test('a list of logs is not believed when a bit of it changed', async () => {
    const store = await open();
    await store.commit([create]);
    await store.close();
    const list = await readFile(`${directory}/milena.logs`);
    list[12] = (list[12] ?? 0) ^ 1;
    await writeFile(`${directory}/milena.logs`, list);
    const next = await open();
    expect(next.logs()).toEqual([logName(1)]);
    await next.close();
  });

  test('a list of logs is not believed once Kafka was there', async () => {
    const store = await open();
    await store.commit([create]);
    await store.close();
    await writeFile(`${directory}/.kafka_cleanshutdown`, '{"version":0,"brokerEpoch":7}');
    await writeFile(
      `${directory}/topic1-0/partition.metadata`,
      `version: 0\ntopic_id: ${logName(2).topicId}\n`,
    );
    const next = await open();
    expect(next.logs()).toEqual([{ ...logName(2), topic: 'topic1' }]);
    await next.close();
  });
});

test('few files stay open, whatever is read and written', async () => {
  const files = new NodeFiles();
  let held = 0;
  let most = 0;
  const counting: Files = Object.assign(Object.create(files) as Files, {
    open: async (path: string, options?: { create?: boolean }) => {
      const file = await files.open(path, options);
      most = Math.max(most, ++held);
      const close = file.close.bind(file);
      return Object.assign(file, { close: () => close().finally(() => held--) });
    },
  });
  const store = await openStore(counting, { directory, maxOpenFiles: 4, tailBytes: 0, flush: 'never' });
  for (let number = 0; number < 30; number++) {
    const name = logName(number);
    await store.commit([{ type: 'create', ...name }, ...appends(name.log, 0, 20, 100)]);
    const bytes = await store.read(name.log, { fromOffset: 10, endOffset: 15, maxBytes: 1e6 });
    expect(offsetsOf(bytes)).toHaveLength(5);
  }
  expect(most).toBeLessThan(10);
  await store.close();
  expect(held).toBe(0);
});

test('a batch larger than what a reader asks for comes whole', async () => {
  const store = await open({ tailBytes: 0 });
  await store.commit([create, append({ log, baseOffset: 0, valueBytes: 300_000 }), ...appends(log, 1, 3)]);
  const bytes = await store.read(log, { fromOffset: 0, endOffset: 3, maxBytes: 1 });
  expect(offsetsOf(bytes)).toEqual([[0, 0]]);
  await store.close();
});
