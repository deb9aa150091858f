import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { ROOT } from '../cli/milena.ts';
import type { Ask } from './kafka/answers.ts';
import { askBoth } from './kafka/homes.ts';
import { missingKafka } from './kafka/toolchain.ts';
import type { Suite } from './suite.ts';

export const CONFLUENT_KAFKA_VERSION = '2.16.1';
const PACKAGES = join(
  ROOT,
  'node_modules/.cache/milena-compat',
  `confluent-kafka-${CONFLUENT_KAFKA_VERSION}`,
);
const CHECKS = join(import.meta.dirname, 'confluent', 'checks.py');
export const SETTINGS = {
  'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
  'super.users': 'User:ANONYMOUS',
  'transaction.abort.timed.out.transaction.cleanup.interval.ms': '500',
};

const run = promisify(execFile);

/** librdkafka, through confluent-kafka for Python: transactions, groups of both protocols, administration. */
export const suite: Suite = {
  name: 'confluent-kafka',
  missing: async () => (await missingKafka()) ?? (await missingPackage()),
  run: (check) => askBoth(check, { suite: 'confluent-kafka', settings: SETTINGS }, askChecks),
};

/** The first call downloads it with pip, once a checkout. */
export async function missingPackage(): Promise<string | undefined> {
  try {
    await access(PACKAGES);
    return undefined;
  } catch {
    // Not yet.
  }
  const draft = `${PACKAGES}.draft`;
  try {
    await rm(draft, { recursive: true, force: true });
    await mkdir(draft, { recursive: true });
    const what = ['--only-binary=:all:', `confluent-kafka==${CONFLUENT_KAFKA_VERSION}`];
    await run('python3', ['-m', 'pip', 'install', '--quiet', '--target', draft, ...what]);
    await rename(draft, PACKAGES);
    return undefined;
  } catch (error) {
    const { code, stderr } = error as { code?: string; stderr?: string };
    if (code === 'ENOENT') return 'no python3 on the PATH';
    return `pip could not download confluent-kafka: ${stderr?.trim().split('\n').at(-1)}`;
  }
}

/** As `checks.py` prints it. */
interface Line {
  asked: string;
  says?: string;
  failure?: string;
}

export async function askChecks(ask: Ask, { address }: { address: string }): Promise<void> {
  const child = spawn('python3', [CHECKS, address], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, PYTHONPATH: PACKAGES, PYTHONDONTWRITEBYTECODE: '1' },
  });
  const ended = once(child, 'close') as Promise<[number | null]>;
  // What librdkafka logs of what is provoked, and why Python ends.
  let errors = '';
  child.stderr.on('data', (chunk) => (errors += chunk));
  for await (const text of createInterface({ input: child.stdout })) {
    const { asked, says = '', failure } = JSON.parse(text) as Line;
    await ask(asked, () => {
      if (failure !== undefined) throw new Error(failure);
      return says;
    });
  }
  const [code] = await ended;
  if (code !== 0) throw new Error(`checks.py ended with ${code}: ${errors.slice(-2_000)}`);
}
