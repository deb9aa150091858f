import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Run } from './milena.ts';

/** A user, and a repository of which `sub/folder` is part. */
let home: string;
let repository: string;
let folder: string;

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'milena-contexts-'));
  repository = join(home, 'repository');
  folder = join(repository, 'sub', 'folder');
  await mkdir(folder, { recursive: true });
  await mkdir(join(repository, '.git'));
});
afterEach(() => rm(home, { recursive: true }));

async function milena(args: readonly string[], environment: Record<string, string> = {}) {
  const run = Run.milenaIn(folder, { MILENA_CONTEXTS: join(home, 'contexts.json'), ...environment }, ...args);
  const code = await run.ended();
  return { code, stdout: run.stdout, stderr: run.stderr };
}

/** Which address a command would speak to: that of a broker nobody runs. */
async function target(args: readonly string[] = [], environment: Record<string, string> = {}) {
  const { stdout, stderr } = await milena(['context', 'show', '--json', ...args], environment);
  if (stdout === '') throw new Error(stderr);
  return JSON.parse(stdout) as { url: string; source: string; context: string | null };
}

describe('which broker a command speaks to', () => {
  test('each source is stronger than those after it', async () => {
    expect(await target()).toMatchObject({ url: 'kafka://127.0.0.1:9092', source: 'default', context: null });

    await milena(['context', 'add', 'mine', 'kafka://mine:1', '--use']);
    expect(await target()).toMatchObject({ url: 'kafka://mine:1', context: 'mine' });

    await milena(['context', 'add', 'ours', 'kafka://ours:1', '--repo', '--use']);
    expect(await target()).toMatchObject({ url: 'kafka://ours:1', context: 'ours' });

    const byName = { MILENA_CONTEXT: 'mine' };
    expect(await target([], byName)).toMatchObject({ url: 'kafka://mine:1', context: 'mine' });

    const byUrl = { ...byName, MILENA_URL: 'kafka://environment:1' };
    expect(await target([], byUrl)).toMatchObject({ url: 'kafka://environment:1', source: 'MILENA_URL' });

    const named = ['--context', 'ours'];
    expect(await target(named, byUrl)).toMatchObject({ url: 'kafka://ours:1', context: 'ours' });

    expect(await target([...named, '-b', 'given:1'], byUrl)).toMatchObject({
      url: 'kafka://given:1',
      source: '--url',
    });
  });

  test("of one name the repository's is meant", async () => {
    await milena(['context', 'add', 'staging', 'kafka://mine:1', '--use']);
    await milena(['context', 'add', 'staging', 'kafka://ours:1', '--repo']);
    expect(await target()).toMatchObject({ url: 'kafka://ours:1' });
    const { stdout } = await milena(['context', 'ls', '--json']);
    const { contexts } = JSON.parse(stdout) as { contexts: unknown[] };
    expect(contexts).toEqual([
      { name: 'staging', url: 'kafka://ours:1', file: join(repository, '.milena.json'), inUse: true },
    ]);
  });

  test('an address may be short', async () => {
    expect(await target(['-b', ':9093'])).toMatchObject({ url: 'kafka://127.0.0.1:9093' });
    expect(await target(['-b', 'localhost'])).toMatchObject({ url: 'kafka://localhost' });
    expect(await target(['-b', 'wss://x/kafka'])).toMatchObject({ url: 'wss://x/kafka' });
  });
});

describe('the files', () => {
  test("the repository's lies at its top, and can be committed; the user's is his alone", async () => {
    await milena(['context', 'add', 'ours', 'kafka://ours:1', '--repo']);
    await milena(['context', 'add', 'mine', 'kafka://mine:1']);
    expect(JSON.parse(await readFile(join(repository, '.milena.json'), 'utf8'))).toEqual({
      version: 1,
      contexts: { ours: { url: 'kafka://ours:1' } },
    });
    expect((await stat(join(home, 'contexts.json'))).mode & 0o077).toBe(0);
  });

  test('what is stronger is named when it stays in use', async () => {
    await milena(['context', 'add', 'ours', 'kafka://ours:1', '--repo', '--use']);
    await milena(['context', 'add', 'mine', 'kafka://mine:1']);
    const { stderr, code } = await milena(['context', 'use', 'mine']);
    expect(stderr).toMatch(/warning: context ours of .*\.milena\.json is stronger and stays in use/);
    expect(code).toBe(0);
  });

  test('what is forgotten is not used', async () => {
    await milena(['context', 'add', 'mine', 'kafka://mine:1', '--use']);
    expect(await milena(['context', 'rm', 'mine'])).toMatchObject({ code: 0 });
    expect(await target()).toMatchObject({ source: 'default' });
    expect(await milena(['context', 'rm', 'mine'])).toMatchObject({ code: 3 });
  });

  test.each([
    ['{', /contexts\.json: .*JSON/],
    ['[]', /"version" is not 1/],
    ['{"version":2}', /"version" is not 1/],
    ['{"version":1,"use":3}', /"use" is no name/],
    ['{"version":1,"contexts":{"a":{}}}', /context a has no "url"/],
  ])('%s is refused, and kept', async (text, said) => {
    await writeFile(join(home, 'contexts.json'), text);
    const { code, stderr } = await milena(['context', 'add', 'mine', 'kafka://mine:1']);
    expect(stderr).toMatch(said);
    expect(code).toBe(1);
    expect(await readFile(join(home, 'contexts.json'), 'utf8')).toBe(text);
  });
});
