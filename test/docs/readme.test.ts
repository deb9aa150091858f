import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';
import { expect, test } from 'vitest';
import { Broker } from '../../src/hosts/node/broker.ts';

const ROOT = join(import.meta.dirname, '../..');
const README = readFileSync(join(ROOT, 'README.md'), 'utf8');
const PACKAGE = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
  scripts: Record<string, string>;
};

function blocks(language: string): string[] {
  const fences = new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\``, 'gm');
  return [...README.matchAll(fences)].map((match) => match[1] ?? '');
}

test('the snippet of the README writes a record and reads it back', async () => {
  const [snippet = ''] = blocks('js');
  const broker = await Broker.start({ settings: new Map([['group.initial.rebalance.delay.ms', '0']]) });
  const script = snippet.replace('127.0.0.1:9092', `127.0.0.1:${broker.kafka.port}`);
  const child = spawn(process.execPath, ['--input-type=module', '--eval', script], {
    cwd: ROOT,
    env: { ...process.env, KAFKAJS_NO_PARTITIONER_WARNING: '1' },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  try {
    const printed: string[] = [];
    for await (const line of createInterface({ input: child.stdout })) {
      // kafkajs logs JSON.
      if (!line.startsWith('{')) printed.push(line);
      if (printed.length > 0) break;
    }
    expect(printed).toEqual(['c17: one espresso']);
  } finally {
    child.kill();
    await once(child, 'exit');
    await broker.close();
  }
});

/** Runs a snippet, its entries those of the built package, and gives what it prints that is no log line. */
async function printed(snippet: string): Promise<string[]> {
  const script = snippet.replaceAll(/'milena\/([a-z]+)'/g, (_, entry: string) =>
    JSON.stringify(pathToFileURL(join(ROOT, `dist/lib/${entry}.js`)).href),
  );
  const child = spawn(process.execPath, ['--input-type=module', '--eval', script], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const lines: string[] = [];
  for await (const line of createInterface({ input: child.stdout }))
    if (!line.startsWith('{')) lines.push(line);
  return lines;
}

test('the snippet with a WebSocket reaches the broker', async () => {
  const snippet = blocks('js').find((block) => block.includes('webSocketFactory')) ?? '';
  const broker = await Broker.start({ httpPort: 0 });
  try {
    const script = `${snippet.replace('127.0.0.1:9094', `127.0.0.1:${broker.http?.port}`)}
      const admin = kafka.admin();
      await admin.connect();
      await admin.createTopics({ topics: [{ topic: 'reached' }] });
      console.log((await admin.listTopics()).join());
      await admin.disconnect();`;
    expect(await printed(script)).toEqual(['reached']);
  } finally {
    await broker.close();
  }
});

test('the snippet with startBroker starts one on free ports', async () => {
  const snippet = blocks('js').find((block) => block.includes('startBroker')) ?? '';
  const script = `${snippet}\nconsole.log(broker.kafka.port > 0 && broker.http.port > 0);`;
  expect(await printed(script)).toEqual(['true']);
});

test('every command the README names is a script of the package', () => {
  const named = [...README.matchAll(/(?:^|`)npm (?:run )?([a-z]+)/gm)].map((match) => match[1] ?? '');
  expect(named.length).toBeGreaterThan(5);
  expect(named.filter((name) => !['install', 'pack'].includes(name) && !(name in PACKAGE.scripts))).toEqual(
    [],
  );
});
