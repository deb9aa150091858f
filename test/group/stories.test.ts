import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { Story } from './story.ts';

const STORIES = new URL('./stories/', import.meta.url);

/** `npx vitest run --project node test/group -u` rewrites what came of each command; read the diff. */
test.each(readdirSync(STORIES))('%s', async (name) => {
  const file = new URL(name, STORIES);
  const told = new Story().run(readFileSync(file, 'utf8'));
  await expect(told).toMatchFileSnapshot(file.pathname);
});
