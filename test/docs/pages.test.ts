import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ROOT } from '../cli/milena.ts';
import { allPages, isAsShown, pageOf, stepsOf } from './page.ts';
import { World } from './world.ts';

const PAGES = allPages();
const MANIFEST = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
  scripts: Record<string, string>;
};

describe('what a page says to do comes out as it says', () => {
  test.for(PAGES.filter(({ blocks }) => blocks.length > 0).map((page) => [page.path, page] as const))(
    '%s',
    { timeout: 120_000 },
    async ([, page], { signal }) => {
      await using world = await World.make(signal);
      await expect(world.follow(stepsOf(page))).resolves.toBeUndefined();
    },
  );
});

describe('the harness', () => {
  const step = (text: string) => stepsOf(pageOf('page.md', text));
  const follow = async (text: string, signal: AbortSignal) => {
    await using world = await World.make(signal);
    await world.follow(step(text));
  };

  test.each([
    ['a language nobody runs', '```cobol\nADD 1\n```\n', /page\.md:1: nobody runs/],
    ['output of nothing', '```text\nhello\n```\n', /page\.md:1: output of what/],
    ['a file without a name', 'Look:\n\n```toml\na = 1\n```\n', /page\.md:3: which file/],
    ['what continues nothing', '```ts continues\nx;\n```\n', /page\.md:1: it continues nothing/],
  ])('refuses %s', (_, text, message) => {
    expect(() => step(text)).toThrow(message);
  });

  test.for<[string, string, RegExp]>([
    ['another output', "```js\nconsole.log('hello');\n```\n\n```text\nhullo\n```\n", /shown is\nhullo/],
    ['more output', '```sh\necho a; echo b\n```\n\n```text\na\n```\n', /printed was\na\nb/],
    ['a failure', '```js\nthrow new Error("no");\n```\n', /page\.md:1: exit code 1/],
    ['a command that fails', '```sh\nmilena topics list\n```\n', /page\.md:1: exit code 2/],
    ['an address where nothing runs', '```js\nfetch("http://localhost:9094");\n```\n', /started nothing/],
  ])('notices %s', async ([, text, message], { signal }) => {
    await expect(follow(text, signal)).rejects.toThrow(message);
  });

  test('an ellipsis stands for what is not said, and for nothing else', () => {
    expect(isAsShown('offset …\ndone', 'offset 17\ndone\n', { isWhole: true })).toBe(true);
    expect(isAsShown('offset …\ndone', 'offset 17\nmore\ndone\n', { isWhole: true })).toBe(false);
    expect(isAsShown('first\n…\nlast', 'first\n1\n2\nlast\n', { isWhole: true })).toBe(true);
    expect(isAsShown('first', 'first\nmore\n', { isWhole: false })).toBe(true);
    expect(isAsShown('first', 'firsts\n', { isWhole: false })).toBe(false);
  });
});

describe('what pages name is there', () => {
  const anchorsOf = (text: string) =>
    Array.from(text.matchAll(/^#+ (.*)$/gm), ([, title = '']) =>
      title
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
        .replaceAll(/\s/g, '-'),
    );

  test('pages and their sections', () => {
    const missing = PAGES.flatMap(({ path, text }) =>
      Array.from(text.matchAll(/\]\((?!https?:|mailto:)([^)#\s]*)(?:#([^)\s]*))?\)/g)).flatMap(
        ([link, file = '', anchor]) => {
          const target = file === '' ? path : join(dirname(path), file);
          if (!existsSync(join(ROOT, target))) return [`${path}: ${link}`];
          const hasAnchor =
            anchor === undefined || anchorsOf(readFileSync(join(ROOT, target), 'utf8')).includes(anchor);
          return hasAnchor ? [] : [`${path}: ${link}`];
        },
      ),
    );
    expect(missing).toEqual([]);
  });

  test('each page can be come to from the README', () => {
    const linked = new Set(['README.md']);
    for (const path of linked) {
      const { text = '' } = PAGES.find((page) => page.path === path) ?? {};
      for (const [, file = ''] of text.matchAll(/\]\((?!https?:)([^)#\s]+\.md)/g))
        linked.add(join(dirname(path), file));
    }
    expect(PAGES.map(({ path }) => path).filter((path) => !linked.has(path))).toEqual([]);
  });

  test('scripts of the package, and packages', () => {
    const named = PAGES.flatMap(({ path, text }) =>
      Array.from(
        text.matchAll(/(?:^|`)npm (?:run )?([a-z][\w:]*)([^`\n]*)/gm),
        ([, verb = '', rest = '']) => {
          return { path, verb, rest };
        },
      ),
    );
    const packages = named
      .filter(({ verb }) => verb === 'install')
      .flatMap(({ rest }) => rest.trim().split(/\s+/))
      .filter((word) => !/^[-.]/.test(word) && word !== 'milena');
    expect(packages.filter((name) => !existsSync(join(ROOT, 'node_modules', name)))).toEqual([]);
    const scripts = named.filter(({ verb }) => !['install', 'pack'].includes(verb));
    expect(scripts.length).toBeGreaterThan(5);
    expect(scripts.filter(({ verb }) => !(verb in MANIFEST.scripts))).toEqual([]);
  });
});
