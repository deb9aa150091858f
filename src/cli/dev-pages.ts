import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Pages } from '../hosts/node/http.ts';

/** In the package, beside the folder of its scripts: a page that publishes and subscribes, and `milena/web` for it. */
const FOLDER = join(import.meta.dirname, '../web');
const TYPES: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
};

/** Reads nothing before it is asked, and nothing but what the folder lists. */
export const devPages: Pages = (path) => {
  const name = path === '/' ? 'index.html' : path.slice(1);
  const type = TYPES[name.slice(name.lastIndexOf('.') + 1)];
  if (type === undefined || !readdirSync(FOLDER).includes(name)) return undefined;
  return { type, body: readFileSync(join(FOLDER, name)) };
};
