import type { Browser, BrowserContext, Page } from 'playwright';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connect as connectNode } from '../../src/hosts/node/client.ts';
import { connect } from '../../src/web/index.ts';
import { startChromium } from '../browser/start-chromium.ts';
import { type PageServer, servePages } from '../browser/serve.ts';
import { FaultyProxy } from '../client/faulty-proxy.ts';
import { BrokerProcess } from '../support/broker-process.ts';

/** Real pages of a real Chromium, against what `npm start` runs. */

let broker: BrokerProcess;
let browser: Browser;
let site: string;
beforeAll(async () => {
  broker = await BrokerProcess.start(['--memory', '--allow-origin', '*']);
  site = `http://127.0.0.1:${broker.ready.http.port}`;
  browser = await startChromium();
}, 60_000);
afterAll(async () => {
  await browser.close();
  await broker.stop();
});

/** A window of its own, whose pages may say nothing on their console. */
async function newWindow(): Promise<{ context: BrowserContext; said: string[] }> {
  const context = await browser.newContext();
  const said: string[] = [];
  context.on('console', (message) => {
    // A browser with a head asks each site for it.
    if (!message.location().url.endsWith('/favicon.ico')) said.push(message.text());
  });
  context.on('weberror', (error) => said.push(String(error.error())));
  return { context, said };
}

test('the page of five lines: what one tab publishes all tabs see, and a reload brings back', async () => {
  const { context, said } = await newWindow();
  const tabs = [await context.newPage(), await context.newPage()];
  for (const tab of tabs) await tab.goto(site);
  const [first, second] = tabs as [Page, Page];
  for (const text of ['one', 'two <b>bold</b>', 'three']) {
    await first.fill('input', text);
    await first.click('button');
    await first.locator('li', { hasText: text }).waitFor();
  }
  const expected = ['three', 'two <b>bold</b>', 'one'];
  await second.locator('li', { hasText: 'three' }).waitFor();
  expect(await second.locator('li').allTextContents()).toEqual(expected);
  await first.reload();
  await first.locator('li', { hasText: 'one' }).waitFor();
  expect(await first.locator('li').allTextContents()).toEqual(expected);
  await first.locator('output', { hasText: 'live' }).waitFor();
  const lines = (await first.locator('pre').textContent())?.split('\n') ?? [];
  expect(lines).toHaveLength(5);
  expect(lines[0]).toContain("from '/web.js'");
  expect(said).toEqual([]);
  await context.close();
});

/** What a page has seen of a topic: texts by partition. */
type Seen = Record<number, (string | null)[]>;

declare global {
  interface Window {
    /** Undefined until the script of the page has run. */
    seen?: Seen;
    published?: Promise<number[]>;
    states: string[];
  }
}

/**
 * Reads a topic in a page, and goes on after a reload where it was: it keeps in its session what it has seen, and its
 * position.
 */
async function follow(page: Page, door: string): Promise<void> {
  await page.goto(`${site}/livez`);
  await page.addScriptTag({
    type: 'module',
    content: `
      import { subscribe } from '${site}/web.js';
      window.seen = JSON.parse(sessionStorage.getItem('seen') ?? '{}');
      window.states = [];
      const subscription = subscribe(
        '${door}',
        (record) => (window.seen[record.partition] ??= []).push(record.text()),
        {
          from: JSON.parse(sessionStorage.getItem('position') ?? '"earliest"'),
          onStatus: ({ state }) => window.states.push(state),
        },
      );
      addEventListener('pagehide', () => {
        sessionStorage.setItem('position', JSON.stringify(subscription.position));
        sessionStorage.setItem('seen', JSON.stringify(window.seen));
      });`,
  });
}

/** So many records of all partitions have come. */
async function hasSeen(page: Page, count: number): Promise<Seen> {
  const counted = (expected: number) =>
    Object.values(window.seen ?? {}).reduce((sum, { length }) => sum + length, 0) >= expected;
  await page.waitForFunction(counted, count);
  return page.evaluate(() => window.seen ?? {});
}

const PARTITIONS = 3;

/** Numbers from `from` on, to the partitions in turn. */
function numbers(from: number, count: number) {
  return Array.from({ length: count }, (_, at) => ({
    value: `${from + at}`,
    partition: (from + at) % PARTITIONS,
    key: `k${(from + at) % PARTITIONS}`,
  }));
}

function expectedUpTo(count: number): Seen {
  const all = Array.from({ length: count }, (_, at) => at);
  return Object.fromEntries(
    Array.from({ length: PARTITIONS }, (_, partition) => [
      partition,
      all.filter((number) => number % PARTITIONS === partition).map(String),
    ]),
  );
}

test('10,000 old records, then live; offline for a while, a reload, a second tab: each once, in order', async () => {
  await using maker = connect(broker.ready.webSocket);
  const topic = 'numbers';
  await createTopic(topic, PARTITIONS);
  await maker.publish(topic, numbers(0, 10_000));
  const network = { isDown: false };
  await using proxy = await FaultyProxy.to(broker.ready.http, () => (network.isDown ? 'cut' : 'passes'));
  const door = `ws://127.0.0.1:${proxy.address.port}/t/${topic}`;
  const { context, said } = await newWindow();
  const page = await context.newPage();
  await follow(page, door);
  expect(await hasSeen(page, 10_000)).toEqual(expectedUpTo(10_000));
  await page.waitForFunction(() => window.states.includes('live'));
  await maker.publish(topic, numbers(10_000, 500));
  expect(await hasSeen(page, 10_500)).toEqual(expectedUpTo(10_500));

  // The network goes, the browser says so, records go on being written.
  network.isDown = true;
  await context.setOffline(true);
  for (let at = 10_500; at < 11_500; at += 100) await maker.publish(topic, numbers(at, 100));
  await page.waitForFunction(() => window.states.includes('retrying'));
  network.isDown = false;
  await context.setOffline(false);
  expect(await hasSeen(page, 11_500)).toEqual(expectedUpTo(11_500));

  // A reload while records come.
  const coming = (async () => {
    for (let at = 11_500; at < 12_500; at += 50) await maker.publish(topic, numbers(at, 50));
  })();
  await hasSeen(page, 11_600);
  await follow(page, door);
  await coming;
  expect(await hasSeen(page, 12_500)).toEqual(expectedUpTo(12_500));

  const second = await context.newPage();
  await follow(second, door);
  expect(await hasSeen(second, 12_500)).toEqual(expectedUpTo(12_500));
  await maker.publish(topic, numbers(12_500, 100));
  for (const tab of [page, second]) expect(await hasSeen(tab, 12_600)).toEqual(expectedUpTo(12_600));
  // What fails to connect Chromium says itself.
  expect(said.filter((line) => !/WebSocket|ERR_/.test(line))).toEqual([]);
  await context.close();
});

test('what a page publishes while it is offline arrives, once and in order, when it is back', async () => {
  const network = { isDown: false };
  await using proxy = await FaultyProxy.to(broker.ready.http, () => (network.isDown ? 'cut' : 'passes'));
  const { context } = await newWindow();
  const page = await context.newPage();
  await page.goto(`${site}/livez`);
  const url = `ws://127.0.0.1:${proxy.address.port}/t/from-a-page`;
  /** Gets it begun. */
  const publish = async (from: number) => {
    await page.evaluate(() => delete window.published);
    const content = `
      import { publish } from '${site}/web.js';
      const told = Array.from({ length: 50 }, (_, at) => publish('${url}', { value: ${from} + at }));
      window.published = Promise.all(told).then((all) => all.map(({ offset }) => offset));`;
    await page.addScriptTag({ type: 'module', content });
    await page.waitForFunction(() => window.published !== undefined);
  };
  await publish(0);
  expect(await page.evaluate(() => window.published)).toEqual(Array.from({ length: 50 }, (_, at) => at));
  network.isDown = true;
  await context.setOffline(true);
  await publish(50);
  network.isDown = false;
  await context.setOffline(false);
  expect(await page.evaluate(() => window.published)).toEqual(Array.from({ length: 50 }, (_, at) => 50 + at));
  await using reader = connect(broker.ready.webSocket);
  const read: number[] = [];
  for await (const record of reader.subscribe('from-a-page', { from: 'earliest' }))
    if (read.push(record.json<number>()) === 100) break;
  expect(read).toEqual(Array.from({ length: 100 }, (_, at) => at));
  await context.close();
});

test('whatever records are packed by, a page reads them', async () => {
  const { host, port } = broker.ready.kafka;
  await using maker = await connectNode(`kafka://${host}:${port}`);
  const expected: string[] = [];
  for (const compression of ['none', 'gzip', 'snappy', 'lz4'] as const) {
    const producer = maker.producer({ compression });
    const values = Array.from({ length: 100 }, (_, at) => `${compression} ${at}`);
    await producer.send(
      'packed',
      values.map((value) => ({ value, partition: 0 })),
    );
    expected.push(...values);
  }
  const { context, said } = await newWindow();
  const page = await context.newPage();
  const loaded: string[] = [];
  page.on('request', (request) => loaded.push(new URL(request.url()).pathname));
  await follow(page, '/t/packed');
  expect(await hasSeen(page, 400)).toEqual({ 0: expected });
  expect(loaded).toContain('/codecs.js');
  expect(said).toEqual([]);
  await context.close();
});

describe('useTopic', () => {
  let pages: PageServer;
  beforeAll(async () => {
    pages = await servePages(['react', 'react-dom/client', 'react/jsx-runtime']);
  }, 60_000);
  afterAll(() => pages.close());

  test('renders the newest records as they come, and publishes', async () => {
    const topic = `ws://127.0.0.1:${broker.ready.http.port}/t/rendered`;
    await using maker = connect(broker.ready.webSocket);
    await maker.publish(
      'rendered',
      Array.from({ length: 30 }, (_, at) => ({ value: `old ${at}` })),
    );
    const { context, said } = await newWindow();
    const page = await context.newPage();
    await page.goto(pages.url);
    const content = `
      import { mount } from '/test/pubsub/react-page.ts';
      mount('${topic}?from=-20', 10);`;
    await page.addScriptTag({ type: 'module', content });
    await page.locator('output', { hasText: 'live' }).waitFor();
    await page.locator('li', { hasText: 'old 29' }).waitFor();
    const texts = () => page.locator('li').allTextContents();
    expect(await texts()).toEqual(Array.from({ length: 10 }, (_, at) => `old ${20 + at}`));
    await page.click('button');
    await page.locator('li', { hasText: 'clicked' }).waitFor();
    await maker.publish('rendered', { value: 'from elsewhere' });
    await page.locator('li', { hasText: 'from elsewhere' }).waitFor();
    expect((await texts()).slice(-3)).toEqual(['old 29', 'clicked', 'from elsewhere']);
    expect(await texts()).toHaveLength(10);

    // Away and back: it goes on where it was.
    await page.click('input');
    await page.locator('ol').waitFor({ state: 'detached' });
    await maker.publish('rendered', { value: 'while it was away' });
    await page.click('input');
    await page.locator('li', { hasText: 'while it was away' }).waitFor();
    // Few renders for many records: one for all that came at once.
    const renders = Number(await page.locator('output').getAttribute('data-renders'));
    expect(renders).toBeLessThan(30);
    // React has something to say of itself.
    expect(said.filter((line) => !line.includes('React DevTools'))).toEqual([]);
    await context.close();
  });
});

async function createTopic(name: string, partitions: number): Promise<void> {
  const { RawClient } = await import('../gateway/harness.ts');
  const { dialTcp } = await import('../gateway/doors.ts');
  const { createTopicsApi } = await import('../../src/wire/apis/19-create-topics.ts');
  const client = new RawClient(await dialTcp(broker.ready.kafka));
  const topic = { name, numPartitions: partitions, replicationFactor: 1, assignments: [], configs: [] };
  const { topics } = await client.send(createTopicsApi, 7, { topics: [topic], timeoutMs: 5_000 });
  client.destroy();
  expect(topics[0]?.errorCode).toBe(0);
}
