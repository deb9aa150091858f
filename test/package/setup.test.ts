import { spawnSync } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { ROOT } from '../cli/milena.ts';

test('a node_modules that is a link is not installed into: what it leads to stays', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'milena-setup-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const [own, other] = [join(folder, 'own'), join(folder, 'other')];
  await mkdir(own);
  await mkdir(join(other, 'kept'), { recursive: true });
  await cp(join(ROOT, '.ci', 'setup.mjs'), join(own, '.ci', 'setup.mjs'));
  await writeFile(join(own, 'package-lock.json'), '{}');
  await symlink(other, join(own, 'node_modules'), 'junction');
  const { status, stderr } = spawnSync(process.execPath, [join(own, '.ci', 'setup.mjs'), 'true'], {
    encoding: 'utf8',
  });
  expect(stderr).toContain(`${join(own, 'node_modules')} is a link`);
  expect(status).toBe(1);
  expect(await readdir(other)).toEqual(['kept']);
});
