import { readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ROOT } from '../cli/milena.ts';
import { CHECKS } from './checks.ts';
import { startBroker } from '../../src/hosts/node/testing.ts';
import { InstalledPackage } from './install.ts';
import { startChromium } from '../browser/start-chromium.ts';
import { builtPage, pageInDevelopment, visit } from './page.ts';
import { USED } from './use.ts';
import { ticketFor } from '../../src/cli/deploy/token.ts';
import { useTemplate } from './template.ts';
import { askWorker } from './worker.ts';

/** The package as `npm pack` makes it, in a folder that had nothing. `test:compat node-22` does it on Node 22. */

let installed: InstalledPackage;
beforeAll(async () => {
  installed = await InstalledPackage.install();
  await installed.addFromHere('kafkajs', 'react', '@opentelemetry/api', '@types/node', 'undici-types');
}, 60_000);
afterAll(() => installed.remove());

async function manifest(): Promise<Record<string, unknown>> {
  const file = join(installed.folder, 'node_modules', 'milena', 'package.json');
  return JSON.parse(await readFile(file, 'utf8')) as Record<string, unknown>;
}

/** What an entry loads before its first line runs, and what of it the package does not bring. */
async function loadedBy(entry: string): Promise<{ text: string; outside: string[] }> {
  const loaded = new Map<string, string>();
  const outside = new Set<string>();
  const load = async (file: string): Promise<void> => {
    if (loaded.has(file)) return;
    const text = await readFile(file, 'utf8');
    loaded.set(file, text);
    for (const [, from = ''] of text.matchAll(/^(?:import|export) .*from "(.*)";$/gm)) {
      if (from.startsWith('.')) await load(join(dirname(file), from));
      else outside.add(from);
    }
  };
  await load(join(installed.folder, 'node_modules/milena/lib', entry));
  return { text: [...loaded.values()].join(''), outside: [...outside] };
}

describe('what is in it', () => {
  test('is small, and nothing of the workshop', () => {
    const { size, unpackedSize, files } = installed.packed;
    expect(size).toBeLessThan(1_600_000);
    expect(unpackedSize).toBeLessThan(5_800_000);
    const paths = files.map(({ path }) => path);
    const expected = [
      /^(?:package\.json|README\.md|LICENSE|THIRD_PARTY_LICENSES\.txt|kernels\.wasm|zstd\.wasm)$/,
      /^(?:bin|chunks|lib)\/[\w.-]+\.js$/,
      /^types\/[\w/-]+\.d\.ts$/,
      // What `milena dev` serves to browsers.
      /^web\/(?:index\.html|[\w-]+\.js)$/,
    ];
    expect(paths.filter((path) => !expected.some((pattern) => pattern.test(path)))).toEqual([]);
  });

  test('it pulls nothing in and runs nothing when it is installed', async () => {
    const made = await manifest();
    const pulling = Object.keys(made).filter((field) =>
      /dependencies|scripts|private|workspaces/i.test(field),
    );
    // Both are the user's own, for those who use the hook, or trace.
    expect(pulling).toEqual(['peerDependencies', 'peerDependenciesMeta']);
    const optional = { '@opentelemetry/api': { optional: true }, react: { optional: true } };
    expect(made).toMatchObject({ sideEffects: false, peerDependenciesMeta: optional });
    expect(Object.keys(made['peerDependencies'] as object)).toEqual(Object.keys(optional));
    const lock = JSON.parse(await readFile(join(installed.folder, 'package-lock.json'), 'utf8')) as {
      packages: object;
    };
    expect(Object.keys(lock.packages)).toEqual(['', 'node_modules/milena']);
  });

  test('the licenses of what is bundled go with it', async () => {
    const licenses = await readFile(
      join(installed.folder, 'node_modules/milena/THIRD_PARTY_LICENSES.txt'),
      'utf8',
    );
    for (const name of ['citty', 'ws', 'zod'])
      expect(licenses).toMatch(new RegExp(`^${name} \\d+\\.\\d+\\.\\d+$`, 'm'));
    expect(licenses).toMatch(
      /^zstd, from @bokuweb\/zstd-wasm [^]*Meta Platforms[^]*Redistributions in binary form/m,
    );
    expect(licenses.match(/Permission is hereby granted/g)?.length).toBeGreaterThanOrEqual(2);
  });

  test('what a client loads brings no broker, and nothing that is no part of Node', async () => {
    const { text, outside } = await loadedBy('milena.node.js');
    expect(outside.filter((name) => !name.startsWith('node:'))).toEqual([]);
    expect(text).toContain('src/client/client.ts');
    expect(text).toContain('src/client/group/membership.ts');
    expect(text).not.toMatch(/^\/\/(?:#region)? ?(?:src\/(?:gateway|shard|segments)\/|node_modules\/)/m);
  });

  test('what a page loads of it first brings nothing that does the work', async () => {
    const { text, outside } = await loadedBy('milena.browser.js');
    expect(outside).toEqual([]);
    expect(text).toContain('src/client/client.ts');
    const work =
      /src\/client\/(?:admin\/nouns|fetch\/pump|group\/membership|latest|producer\/sender|tracing\/client-)/;
    expect(text).not.toMatch(work);
  });

  test('what a kafkajs client loads brings no broker', async () => {
    const entry = await readFile(join(installed.folder, 'node_modules/milena/lib/kafkajs.js'), 'utf8');
    expect(Array.from(entry.matchAll(/^import .* from "(.*)";$/gm), ([, from]) => from)).toEqual([
      'node:stream',
    ]);
    expect(entry.length).toBeLessThan(10_000);
  });
});

test.each(CHECKS)('%s', async (_, check) => {
  await expect(check(installed, process.execPath)).resolves.toBeUndefined();
});

test('it traces where a process has set OpenTelemetry up, and only there', async () => {
  await writeFile(
    join(installed.folder, 'traced.mjs'),
    `
import * as api from '@opentelemetry/api';
import { connect } from 'milena';
import { startBroker } from 'milena/testing';

await using broker = await startBroker();
const names = [];
const tracer = { startSpan: (name) => (names.push(name), api.trace.wrapSpanContext(api.INVALID_SPAN_CONTEXT)) };
for (const sets of [false, true]) {
  if (sets) api.trace.setGlobalTracerProvider({ getTracer: () => tracer });
  await using client = await connect(broker.url);
  await client.send(sets ? 'traced' : 'plain', { value: 'v' });
}
console.log(names.join());
`,
  );
  expect(await installed.run(process.execPath, ['traced.mjs'])).toEqual({
    stdout: 'send traced\n',
    stderr: '',
  });
});

describe('browser and Workers', () => {
  test.each([
    ['built by vite', builtPage],
    ['in development', pageInDevelopment],
  ])(
    'a page writes and reads, %s, with every codec and part',
    async (_, serve) => {
      await using broker = await startBroker();
      await using page = await serve(installed);
      const browser = await startChromium();
      try {
        expect(await visit(browser, page.url, broker.webSocketUrl)).toEqual(USED);
      } finally {
        await browser.close();
      }
    },
    60_000,
  );

  test('so does a Worker, bundled by wrangler and run by workerd', async () => {
    await using broker = await startBroker();
    expect(await askWorker(installed, broker.webSocketUrl)).toEqual(USED);
  }, 60_000);
});

describe('its types', () => {
  const compile = async (program: string, settings = ['--module', 'nodenext']) => {
    await writeFile(join(installed.folder, 'uses.ts'), program);
    const tsc = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
    const options = ['--strict', '--noEmit', '--target', 'es2023', ...settings, '--ignoreConfig'];
    return installed.run(process.execPath, [tsc, ...options, 'uses.ts']).then(
      () => '',
      (error: { stdout: string }) => error.stdout,
    );
  };

  test('say how it is used, checked as in any program', async () => {
    expect(
      await compile(`
import { Kafka } from 'kafkajs';
import { webSocketFactory, type BrokerAddress } from 'milena/kafkajs';
import { startBroker, type RunningBroker } from 'milena/node';

const broker: RunningBroker = await startBroker({ directory: 'data', httpPort: 0, flush: 'never' });
const url = ({ host, port }: BrokerAddress) => \`wss://\${host}:\${port}/kafka\`;
new Kafka({ brokers: ['localhost:9094'], socketFactory: webSocketFactory({ url }) });
const port: number | undefined = broker.http?.port;
await broker.close({ timeoutMs: 10 });
console.log(port);
`),
    ).toBe('');
  });

  test('of the client and of the broker for tests too', async () => {
    expect(
      await compile(`
import { connect, MilenaError, serde, topic, type Client, type ConnectOptions, type Transport } from 'milena';
import { startBroker, virtualClock } from 'milena/testing';

const clock = virtualClock({ startMs: 0 });
await using broker = await startBroker({ clock, settings: { 'num.partitions': '3' } });
const options: ConnectOptions = { tls: { ca: 'PEM', servername: 'broker' } };
await using client: Client = await connect(broker.url, options);
const { offset }: { offset: number } = await client.send('orders', { key: 'c17', value: new Uint8Array(3) });
const orders = topic('orders', { key: serde.string, value: serde.json<{ id: number }>() });
await client.send(orders, { key: 'c17', value: { id: 1 } });
await using producer = client.producer({ acks: 'all', compression: 'zstd', lingerMs: 5 });
await producer.write('orders', { value: null, headers: { trace: 'x' } }, { signal: AbortSignal.timeout(5) });
await using consumer = client.consumer({ group: 'billing', topics: [orders], signal: AbortSignal.timeout(5) });
await consumer.run(({ key, value }) => console.log(key.length, value.id + 1), { concurrency: 4, order: 'key' });
for await (const { offset, value } of client.read(orders, { from: '-1h', live: false })) console.log(offset, value.id);
await client.admin.topics.ensure(orders, { partitions: 3 });
const elsewhere: Transport = { open: () => Promise.reject(new Error('closed')) };
await connect(elsewhere).catch((error) => {
  if (error instanceof MilenaError && error.retriable) console.log(error.code, error.hint, offset);
});
await clock.advance(3_600_000);
`),
    ).toBe('');
  });

  test('of pub/sub from a page, and of its hook', async () => {
    const program = `
import { connect, publish, subscribe, type Status, type TopicRecord } from 'milena/web';
import { useTopic } from 'milena/react';
const render = (record: TopicRecord): void =>
  console.log(record.offset, record.key, record.json<{ eur: number }>().eur);
const stop = subscribe('/t/orders?from=-50', render, { onStatus: ({ state }: Status) => console.log(state) });
const { offset }: { offset: number } = await publish('/t/orders', { key: 'c17', value: { eur: 5 } });
for await (const { text } of subscribe('/t/orders', { from: { time: '-1h' } })) console.log(text, offset);
await using connection = connect('wss://log.example.dev/kafka', { maxBufferedBytes: 1_000 });
const all: { partition: number }[] = await connection.publish('orders', [{ value: null }, { value: [1, 'a'] }]);
export function Orders(): string[] {
  const { records, status, publish } = useTopic('/t/orders', { from: 'earliest', limit: 5 });
  void publish({ value: status });
  stop();
  return records.map((record) => record.text() ?? String(all.length));
}
`;
    expect(
      await compile(program, ['--moduleResolution', 'bundler', '--module', 'esnext', '--types', '']),
    ).toBe('');
    const wrong = `
import { publish } from 'milena/web';
await publish('/t/orders', { value: new Map() });
`;
    expect(await compile(wrong)).toMatch(/uses\.ts\(3,/);
  });

  test('also in a page, which has no types of Node', async () => {
    const program = `
import { connect } from 'milena';
await using client = await connect('wss://log.example.dev/kafka');
await new ReadableStream().pipeTo(client.producer().writable('orders'));
`;
    expect(
      await compile(program, ['--moduleResolution', 'bundler', '--module', 'esnext', '--types', '']),
    ).toBe('');
  });

  test('and how it is not', async () => {
    const complaints = await compile(`
import { startBroker } from 'milena/node';
await startBroker({ flush: 'sometimes' });
await startBroker({ prot: 9092 });
`);
    expect(complaints).toMatch(/uses\.ts\(3,.*'"sometimes"' is not assignable/);
    expect(complaints).toMatch(/uses\.ts\(4,.*'prot' does not exist/);
  });
});

describe('on Cloudflare', () => {
  test('the template runs as it stands, and takes whoever shows a ticket', { timeout: 90_000 }, async () => {
    const expiresAtMs = Date.now() + 60_000;
    const ticket = (secret: string) => ticketFor(secret, { principal: 'User:owner', expiresAtMs });
    expect(await useTemplate(installed, ticket)).toEqual(['401', 'hello']);
  });
});
