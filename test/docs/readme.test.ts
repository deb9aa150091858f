import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
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

test('every command the README names is a script of the package', () => {
  const named = [...README.matchAll(/(?:^|`)npm (?:run )?([a-z]+)/gm)].map((match) => match[1] ?? '');
  expect(named.length).toBeGreaterThan(5);
  expect(named.filter((name) => name !== 'install' && !(name in PACKAGE.scripts))).toEqual([]);
});
