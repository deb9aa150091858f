import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Run } from './milena.ts';
import { PipedHome } from './piped-home.ts';

/** What cannot be undone is asked for at a terminal, and nowhere else. */
let home: PipedHome;
beforeAll(async () => {
  home = await PipedHome.open();
});
afterAll(() => home.close());

async function topics(): Promise<string[]> {
  const listed = await home.out(['topics', 'ls']);
  return listed.split('\n').flatMap((line) => (line === '' ? [] : [line.split('\t')[0] ?? '']));
}

describe('at a terminal', () => {
  test.each([
    ['y\n', 0, []],
    ['yes\n', 0, []],
    ['n\n', 1, ['asked']],
    ['\n', 1, ['asked']],
  ])('the answer %j', async (answer, exitCode, left) => {
    await home.topic('asked');
    const run = Run.terminal({}, 'topics', 'rm', 'asked', '--url', home.url);
    await run.printed(/\[y\/N\] /);
    run.child.stdin?.write(answer);
    expect(await run.ended()).toBe(exitCode);
    expect(await topics()).toEqual(left);
    if (left.length > 0) await home.out(['topics', 'rm', 'asked', '--yes']);
  });

  test('--no-input fails instead, and --yes needs no answer', async () => {
    await home.topic('unasked');
    const refused = Run.terminal({}, 'topics', 'rm', 'unasked', '--no-input', '--url', home.url);
    expect(await refused.ended()).toBe(2);
    expect(refused.stdout).toContain('add --yes');
    const granted = Run.terminal({}, 'topics', 'rm', 'unasked', '-y', '--url', home.url);
    expect(await granted.ended()).toBe(0);
    expect(await topics()).toEqual([]);
  });
});

test('in a pipe: refused without --yes', async () => {
  await home.topic('piped');
  const { code, stderr } = await home.run(['topics', 'rm', 'piped'], 'y\n');
  expect(code).toBe(2);
  expect(stderr).toMatch(/error\[NOT_CONFIRMED\].*\n {2}add --yes/);
  expect(await topics()).toEqual(['piped']);
});
