import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ROOT } from '../cli/milena.ts';
import { CHECKS } from './checks.ts';
import { InstalledPackage } from './install.ts';

/** The package as `npm pack` makes it, in a folder that had nothing. `test:compat node-22` does it on Node 22. */

let installed: InstalledPackage;
beforeAll(async () => {
  installed = await InstalledPackage.install();
  await installed.addFromHere('kafkajs', '@types/node', 'undici-types');
}, 60_000);
afterAll(() => installed.remove());

async function manifest(): Promise<Record<string, unknown>> {
  const file = join(installed.folder, 'node_modules', 'milena', 'package.json');
  return JSON.parse(await readFile(file, 'utf8')) as Record<string, unknown>;
}

describe('what is in it', () => {
  test('is small, and nothing of the workshop', () => {
    const { size, unpackedSize, files } = installed.packed;
    expect(size).toBeLessThan(3_000_000);
    expect(unpackedSize).toBeLessThan(3_000_000);
    const paths = files.map(({ path }) => path);
    const expected = [
      /^(?:package\.json|README\.md|LICENSE|THIRD_PARTY_LICENSES\.txt|kernels\.wasm)$/,
      /^(?:bin|chunks|lib)\/[\w-]+\.js$/,
      /^types\/[\w/-]+\.d\.ts$/,
    ];
    expect(paths.filter((path) => !expected.some((pattern) => pattern.test(path)))).toEqual([]);
  });

  test('it pulls nothing in and runs nothing when it is installed', async () => {
    const fields = Object.keys(await manifest());
    expect(fields.filter((field) => /dependencies|scripts|private|workspaces/i.test(field))).toEqual([]);
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
    for (const name of ['citty', 'ws'])
      expect(licenses).toMatch(new RegExp(`^${name} \\d+\\.\\d+\\.\\d+$`, 'm'));
    expect(licenses.match(/Permission is hereby granted/g)?.length).toBeGreaterThanOrEqual(2);
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

describe('its types', () => {
  const compile = async (program: string) => {
    await writeFile(join(installed.folder, 'uses.ts'), program);
    const tsc = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
    const options = ['--strict', '--noEmit', '--target', 'es2023', '--module', 'nodenext'];
    return installed.run(process.execPath, [tsc, ...options, '--ignoreConfig', 'uses.ts']).then(
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
