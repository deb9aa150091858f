import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ROOT } from '../cli/milena.ts';
import { referencePages } from './reference/pages.ts';

const FOLDER = join(ROOT, 'docs/reference');

test('the reference is what the code says; `npm run docs` writes it', async () => {
  const pages = await referencePages();
  expect(readdirSync(FOLDER).toSorted()).toEqual([...pages.keys()].toSorted());
  for (const [name, text] of pages)
    expect(`${name}: ${readFileSync(join(FOLDER, name), 'utf8')}`).toBe(`${name}: ${text}`);
});
