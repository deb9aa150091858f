/** `npm run docs`: writes the pages of the reference. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../cli/milena.ts';
import { referencePages } from './reference/pages.ts';

const folder = join(ROOT, 'docs/reference');
const pages = await referencePages();
rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });
for (const [name, text] of pages) writeFileSync(join(folder, name), text);
console.log(`${pages.size} pages in docs/reference`);
