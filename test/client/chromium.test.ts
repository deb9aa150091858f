import type { Browser, Page } from 'playwright';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startBroker, type TestBroker } from '../../src/hosts/node/testing.ts';
import { startChromium } from '../browser/start-chromium.ts';
import { type PageServer, servePages } from '../browser/serve.ts';
import { FaultyProxy } from './faulty-proxy.ts';

/** The whole client in a real page, which is frozen, whose network goes, and whose scripts are not there. */

const APP = '/test/browser/client-page.ts';
/** Files that are not there. */
let missing: RegExp | undefined;
let browser: Browser;
let pages: PageServer;
let broker: TestBroker;
beforeAll(async () => {
  pages = await servePages([], ({ url = '' }, response) => {
    if (missing?.test(url) !== true) return false;
    response.writeHead(404).end();
    return true;
  });
  broker = await startBroker();
  browser = await startChromium();
}, 60_000);
afterAll(async () => {
  await browser.close();
  await broker.close();
  await pages.close();
});

/** Calls a function of what the page has loaded. */
function ask<T>(page: Page, name: string, given = ''): Promise<T> {
  return page.evaluate(`import('${APP}').then((app) => app.${name}(${JSON.stringify(given)}))`);
}

test('frozen and thawed with its connections gone, and offline for a while, it goes on where it was', async () => {
  const { hostname, port } = new URL(broker.webSocketUrl);
  let isCut = false;
  const fate = () => (isCut ? ('cut' as const) : ('passes' as const));
  await using proxy = await FaultyProxy.to({ host: hostname, port: Number(port) }, fate);
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(pages.url);
  const devTools = await context.newCDPSession(page);
  const writer = await broker.connect();
  const seen = () => ask<string[]>(page, 'values');

  await writer.send('orders', { value: 'first' });
  await ask(page, 'start', `ws://${proxy.address.host}:${proxy.address.port}/kafka`);
  await expect.poll(seen).toEqual(['first']);

  await devTools.send('Page.setWebLifecycleState', { state: 'frozen' });
  isCut = true;
  await writer.send('orders', { value: 'while it was frozen' });
  await expect.poll(() => proxy.counts.cut).toBeGreaterThan(0);
  isCut = false;
  await devTools.send('Page.setWebLifecycleState', { state: 'active' });
  await expect.poll(seen, { timeout: 20_000 }).toEqual(['first', 'while it was frozen']);
  expect(await ask(page, 'status')).toBe('connected');

  const cutBefore = proxy.counts.cut;
  await context.setOffline(true);
  isCut = true;
  await writer.send('orders', { value: 'while it was offline' });
  const own = ask<number>(page, 'write', 'its own');
  await expect.poll(() => proxy.counts.cut).toBeGreaterThan(cutBefore);
  await context.setOffline(false);
  isCut = false;
  expect(await own).toBe(3);
  await expect
    .poll(seen, { timeout: 20_000 })
    .toEqual(['first', 'while it was frozen', 'while it was offline', 'its own']);
  await context.close();
}, 90_000);

test('a part that does not load is an error that says so; the page goes on, and has it the next time', async () => {
  const page = await browser.newPage();
  await page.goto(pages.url);
  const notLoaded = (what: string) => ({
    code: 'NOT_LOADED',
    retriable: true,
    message: expect.stringContaining(`${what} could not be loaded`) as string,
    hint: expect.stringContaining('loaded again') as string,
  });
  missing = /producer-engine/;
  await ask(page, 'open', broker.webSocketUrl);
  expect(await ask(page, 'tryToWrite', 'none')).toEqual(notLoaded('the producer'));
  expect(await ask(page, 'status')).toBe('connected');

  missing = undefined;
  // Chromium remembers scripts that it could not fetch.
  await page.reload();
  await ask(page, 'open', broker.webSocketUrl);
  expect(await ask(page, 'tryToWrite', 'none')).toEqual(expect.any(Number));

  missing = /zstd\.wasm/;
  expect(await ask(page, 'tryToWrite', 'zstd')).toEqual(notLoaded('zstd'));
  missing = undefined;
  expect(await ask(page, 'tryToWrite', 'zstd')).toEqual(expect.any(Number));
  await page.close();
}, 60_000);
