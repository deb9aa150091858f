import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { ROOT } from '../cli/milena.ts';
import { allPages, stepsOf } from './page.ts';
import { World } from './world.ts';

const run = promisify(execFile);

/** As strict as a user can be, without a look into what others have written. */
const COMPILER_OPTIONS = {
  target: 'es2024',
  lib: ['es2024', 'esnext.disposable', 'dom', 'dom.iterable', 'dom.asynciterable'],
  module: 'preserve',
  moduleResolution: 'bundler',
  allowImportingTsExtensions: true,
  jsx: 'react-jsx',
  strict: true,
  noUncheckedIndexedAccess: true,
  exactOptionalPropertyTypes: true,
  noEmit: true,
  skipLibCheck: true,
  types: ['node'],
};

/** What a bundler makes of files that are no programs. */
const STYLES = "declare module '*.css';\n";

async function complaints(programs: ReadonlyMap<string, string>, signal: AbortSignal): Promise<string> {
  await using world = await World.make(signal);
  for (const [path, text] of programs) {
    await mkdir(join(world.folder, path, '..'), { recursive: true });
    await writeFile(join(world.folder, path), text);
  }
  await writeFile(join(world.folder, 'styles.d.ts'), STYLES);
  await writeFile(
    join(world.folder, 'tsconfig.json'),
    JSON.stringify({ compilerOptions: COMPILER_OPTIONS, include: ['**/*'] }),
  );
  const tsc = join(ROOT, 'node_modules/typescript/bin/tsc');
  return await run(process.execPath, [tsc, '-p', world.folder], { cwd: world.folder }).then(
    () => '',
    (error: { stdout: string }) => error.stdout,
  );
}

test('the types of all TypeScript on all pages are right', async ({ signal }) => {
  const programs = new Map<string, string>();
  for (const page of allPages())
    for (const { name, text } of stepsOf(page))
      if (/\.tsx?$/.test(name))
        programs.set(join(page.path.replace(/\.md$/, ''), name), `${text}\nexport {};\n`);
  expect(programs.size).toBeGreaterThan(10);
  expect(await complaints(programs, signal)).toBe('');
}, 60_000);

test('wrong types would be noticed', async ({ signal }) => {
  const program = "import { connect } from 'milena';\nawait connect(9092);\n";
  expect(await complaints(new Map([['wrong.ts', program]]), signal)).toMatch(
    /wrong\.ts\(2,15\): error TS2345: Argument of type 'number'/,
  );
}, 60_000);
