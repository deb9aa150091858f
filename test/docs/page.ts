import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../cli/milena.ts';

/** A fenced block. */
export interface Block {
  language: string;
  /** What stands behind the language: `continues` makes it a part of the program before it. */
  isContinued: boolean;
  /** Where it is, for people: `docs/tutorials/node.md:17`. */
  at: string;
  text: string;
  /** The file it is, where its first line says so: `// orders.ts`. */
  name: string | undefined;
}

export interface Page {
  /** From the root: `docs/tutorials/node.md`. */
  path: string;
  text: string;
  blocks: readonly Block[];
}

/** The README and all of `docs`. */
export function allPages(): Page[] {
  const found = readdirSync(join(ROOT, 'docs'), { recursive: true, encoding: 'utf8' });
  const paths = found.filter((path) => path.endsWith('.md')).map((path) => join('docs', path));
  return ['README.md', ...paths.toSorted()].map((path) =>
    pageOf(path, readFileSync(join(ROOT, path), 'utf8')),
  );
}

const FENCE = /^```(?<language>\w*)(?<rest>[^\n]*)\n(?<text>[^]*?)^```$/gm;
/** In the languages' own comments. */
const NAME = /^(?:\/\/|#|<!--) (?<name>[\w.-]+\.\w+)(?: -->)?\n/;

export function pageOf(path: string, text: string): Page {
  const blocks = Array.from(text.matchAll(FENCE), ({ index, groups }): Block => {
    const { language = '', rest = '', text: content = '' } = groups ?? {};
    return {
      language,
      isContinued: rest.trim() === 'continues',
      at: `${path}:${text.slice(0, index).split('\n').length}`,
      text: content,
      name: NAME.exec(content)?.groups?.['name'],
    };
  });
  return { path, text, blocks };
}

/** Something to be run, or a file that others need, with the output that the page shows for it. */
export interface Step {
  kind: 'program' | 'shell' | 'file';
  at: string;
  /** Of the file. */
  name: string;
  text: string;
  output: string | undefined;
}

const KINDS: Readonly<Record<string, Step['kind']>> = {
  js: 'program',
  ts: 'program',
  sh: 'shell',
  tsx: 'file',
  html: 'file',
  toml: 'file',
  properties: 'file',
};
const OUTPUTS: ReadonlySet<string> = new Set(['text', 'json']);

/** The blocks of a page in the order in which a reader follows them. @throws for a block that nobody would run. */
export function stepsOf({ blocks }: Pick<Page, 'blocks'>): Step[] {
  const steps: Step[] = [];
  for (const { language, isContinued, at, text, name } of blocks) {
    const before = steps.at(-1);
    const kind = KINDS[language];
    if (OUTPUTS.has(language)) {
      if (before === undefined || before.kind === 'file') throw new Error(`${at}: output of what?`);
      before.output = (before.output ?? '') + text;
    } else if (kind === undefined) {
      throw new Error(`${at}: nobody runs a block of "${language}"`);
    } else if (isContinued) {
      if (before?.kind !== kind) throw new Error(`${at}: it continues nothing`);
      before.text += text;
    } else {
      if (kind === 'file' && name === undefined) throw new Error(`${at}: which file is it?`);
      steps.push({
        kind,
        at,
        name: name ?? `block-${steps.length + 1}.${language}`,
        text,
        output: undefined,
      });
    }
  }
  return steps;
}

/** Whether something printed is what a page shows. `…` is what it does not say: in a line, or lines of it. */
export function isAsShown(shown: string, printed: string, { isWhole }: { isWhole: boolean }): boolean {
  const lines = shown
    .trimEnd()
    .split('\n')
    .map((line) => (line === '…' ? '[^]*?' : line.split('…').map(escaped).join('.*?')));
  return new RegExp(`^${lines.join('\n')}${isWhole ? '$' : '(?=\n|$)'}`).test(printed.trimEnd());
}

/** For a regular expression that means just this. */
export function escaped(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`);
}
