import { spawn } from 'node:child_process';
import { dirname, join } from 'node:path';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { MILENA } from '../support/broker-process.ts';
import { Run } from './milena.ts';
import { PipedHome } from './piped-home.ts';

let home: PipedHome;
beforeAll(async () => {
  home = await PipedHome.open();
  for (const name of ['orders', 'order-items', 'payments']) await home.topic(name);
  await home.out(['produce', 'orders', '--raw'], 'x\n');
  // Whoever joins a group names it.
  await Promise.all(
    ['billing', '$(touch pwned)', 'a b'].map((group) =>
      home.out(['consume', 'orders', '-g', group, '--raw', '-n', '1']),
    ),
  );
}, 60_000);
afterAll(() => home.close());

/** What a shell would offer for these words, the last of which is begun. */
async function offered(...words: string[]): Promise<string[]> {
  const stdout = await home.out(['complete', '--', ...words]);
  return stdout.split('\n').flatMap((line) => (line === '' ? [] : [line.split('\t')[0] ?? '']));
}

describe('what is offered', () => {
  test('commands, with what they do', async () => {
    expect(await offered('con')).toEqual(['consume', 'configs', 'context']);
    expect(await offered('context', '')).toEqual(['ls', 'show', 'add', 'use', 'rm']);
    expect(await home.out(['complete', '--', 'prod'])).toBe(
      'produce\tWrite records from stdin, one a line\n',
    );
    expect(await offered('comple')).toEqual(['completion']);
  });

  test.each([
    [
      ['consume', 'ord'],
      ['order-items', 'orders'],
    ],
    [['consume', 'orders', 'pay'], ['payments']],
    [['produce', '--acks', 'all', 'pay'], ['payments']],
    [['produce', 'orders', 'pay'], []],
    [['topics', 'rm', 'pay'], ['payments']],
    [['consume', 'orders', '--group', ''], ['billing']],
    [['consume', 'orders', '-g', 'b'], ['billing']],
    [['consume', 'orders', '--group=b'], ['--group=billing']],
    [['consume', 'orders', '--group', '=', 'b'], ['billing']],
    [['groups', 'describe', ''], ['billing']],
    [['produce', 'orders', '--compression', 'z'], ['zstd']],
    [
      ['produce', 'orders', '--compression', 'zstd', '--acks', ''],
      ['all', '1', '0'],
    ],
    [['completion', 'z'], ['zsh']],
    [['produce', 'orders', '--key', ''], []],
    [['no', 'such', 'command', ''], []],
    [['consume', '--', 'pay'], ['payments']],
  ])('%j', async (words, expected) => {
    expect((await offered(...words)).toSorted()).toEqual(expected.toSorted());
  });

  test('options of the command', async () => {
    expect(await offered('consume', 'orders', '--f')).toEqual(['--from', '--format']);
    expect(await offered('topics', 'rm', '--no')).toEqual(['--no-input']);
  });

  test('topics of the broker that the words name', async () => {
    const other = await PipedHome.open();
    await other.topic('elsewhere');
    expect(await offered('consume', '--url', other.url, '')).toEqual(['elsewhere']);
    await other.close();
  });

  test('nothing, and no error, where nobody answers', async () => {
    const run = Run.milenaWith(
      { environment: { MILENA_URL: '127.0.0.1:1' } },
      'complete',
      '--',
      'consume',
      '',
    );
    expect(await run.ended()).toBe(0);
    expect(run.stdout + run.stderr).toBe('');
  });
});

describe('the script of bash', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'milena-completion-'));
    // As npm installs it, the file itself is not yet executable.
    await writeFile(join(folder, 'milena'), `#!/bin/sh\nexec node '${MILENA}' "$@"\n`, { mode: 0o755 });
    await writeFile(join(folder, 'completion.bash'), await home.out(['completion', 'bash']));
  });
  afterAll(() => rm(folder, { recursive: true }));

  /** What Tab would bring. */
  async function tab(...words: string[]): Promise<string> {
    const script = [
      'source ./completion.bash; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _milena',
      String.raw`printf "%s\n" "${'$'}{COMPREPLY[@]}"; complete -p milena`,
    ].join('; ');
    const path = `${folder}:${dirname(process.execPath)}:${process.env['PATH']}`;
    const child = spawn('bash', ['--norc', '-c', script, 'bash', ...words], {
      cwd: folder,
      env: { ...process.env, PATH: path, MILENA_URL: home.url },
    });
    let output = '';
    for await (const chunk of child.stdout) output += String(chunk);
    return output;
  }

  test('asks, and takes what it gets', async () => {
    expect(await tab('milena', 'consume', 'ord')).toBe(
      'order-items\norders\ncomplete -o bashdefault -o default -F _milena milena\n',
    );
  });

  test('runs nothing that stands in a word', async () => {
    await tab('milena', 'consume', '$(touch pwned)', '`touch pwned`', '');
    await tab('milena', 'groups', 'describe', '');
    const listed = Run.shell(`ls '${folder}'`);
    await listed.ended();
    expect(listed.stdout).toBe('completion.bash\nmilena\n');
  });
});

test.each(['bash', 'zsh', 'fish', 'pwsh'])('%s has a script that asks milena complete', async (shell) => {
  expect(await home.out(['completion', shell])).toMatch(/milena complete '?--'? /);
});

test('another shell is refused', async () => {
  expect(await home.run(['completion', 'csh'])).toMatchObject({ code: 2, stdout: '' });
});
