import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Browser } from 'playwright';
import { build, createServer, preview } from 'vite';
import type { InstalledPackage } from './install.ts';
import { USE } from './use.ts';

/** A user's page. It says what became of it in its title. */
const SCRIPT = `${USE}
const url = new URLSearchParams(location.search).get('url');
try {
  document.title = JSON.stringify(await use(url, 'from-page'));
} catch (error) {
  document.title = JSON.stringify({ failed: String(error) });
}
`;

const HTML = '<!doctype html><script type="module" src="./main.ts"></script>\n';

export interface ServedPage extends AsyncDisposable {
  url: string;
}

async function writePage(installed: InstalledPackage): Promise<string> {
  const root = join(installed.folder, 'page');
  await mkdir(root, { recursive: true });
  await writeFile(join(root, 'index.html'), HTML);
  await writeFile(join(root, 'main.ts'), SCRIPT);
  return root;
}

const QUIET = { configFile: false, logLevel: 'error', clearScreen: false } as const;

/** As `vite build` makes it. */
export async function builtPage(installed: InstalledPackage): Promise<ServedPage> {
  const root = await writePage(installed);
  await build({ ...QUIET, root, build: { target: 'es2023' } });
  const server = await preview({ ...QUIET, root, preview: { host: '127.0.0.1', port: 0 } });
  return { url: server.resolvedUrls?.local[0] ?? '', [Symbol.asyncDispose]: () => server.close() };
}

/** As `vite dev` serves it, which puts packages together by itself. */
export async function pageInDevelopment(installed: InstalledPackage): Promise<ServedPage> {
  const root = await writePage(installed);
  const server = await createServer({ ...QUIET, root, server: { host: '127.0.0.1', port: 0, ws: false } });
  await server.listen();
  return { url: server.resolvedUrls?.local[0] ?? '', [Symbol.asyncDispose]: () => server.close() };
}

/** What the page says, with what its console says when it fails. */
export async function visit(browser: Browser, page: string, broker: string): Promise<unknown> {
  const tab = await browser.newPage();
  const said: string[] = [];
  tab.on('console', (message) => said.push(message.text()));
  tab.on('pageerror', (error) => said.push(String(error)));
  await tab.goto(`${page}?url=${encodeURIComponent(broker)}`);
  await tab
    .waitForFunction(() => document.title !== '', undefined, { timeout: 20_000 })
    .catch((error) => {
      throw new Error(`the page says nothing, but: ${said.join('; ')}`, { cause: error });
    });
  const title = await tab.title();
  await tab.close();
  return JSON.parse(title);
}
