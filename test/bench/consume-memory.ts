import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { connect } from '../../src/hosts/node/connect.ts';
import { BrokerProcess } from '../support/broker-process.ts';
import { residentBytes } from '../support/process-memory.ts';
import { median, report } from './harness.ts';

/** 1 GB. */
const RECORDS = 1_000_000;
const BYTES = 1_000;
const BUDGET_MB = 32;
/** A pause after so many records: 25 MB/s, where a broker sends several hundred. */
const PAUSE_EVERY = 1_000;
const PAUSE_MS = 40;
const LOOK_EVERY_MS = 50;
/** What the process may take beside its budget of bytes. */
const BESIDE_MB = 50;
const TOPIC = 'consume-memory';

/** Reads all in a process of its own, slower than it comes. It says when it begins, and how many bytes it had. */
const SCRIPT = `
  import { setTimeout as afterMs } from 'node:timers/promises';
  const [library, how, address, maxBufferedBytes, records] = process.argv.slice(1);
  const { connect } = await import(library);
  const client = await connect('kafka://' + address);
  await client.admin.cluster.describe();
  const options = { group: how, topics: ['${TOPIC}'], maxBufferedBytes: Number(maxBufferedBytes) };
  const consumer = client.consumer(options);
  const seen = { records: 0, bytes: 0 };
  const work = async ({ value }) => {
    seen.bytes += value.length;
    if (++seen.records % ${PAUSE_EVERY} === 0) await afterMs(${PAUSE_MS});
  };
  await afterMs(1_000);
  console.log('begins');
  if (how === 'run') {
    const running = consumer.run(work);
    while (seen.records < Number(records)) await afterMs(10);
    await consumer.close();
    await running;
  } else
    for await (const record of consumer) {
      await work(record);
      if (seen.records === Number(records)) break;
    }
  await client.close();
  console.log(seen.bytes);
`;
const LIBRARY = join(import.meta.dirname, '../../dist/lib/milena.node.js');

/** Whether a slow consumer stays within its budget of bytes, over a topic many times as large. */
export async function run(): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'milena-bench-'));
  const broker = await BrokerProcess.start(['--data', directory, '--flush', 'never']);
  try {
    await fill(broker);
    for (const how of ['run', 'for await']) {
      const { baseline, during } = await residentMb(how, broker);
      const bench = `consume-memory, 1 GB, a slow handler, ${BUDGET_MB} MB budget, ${how}`;
      const peak = Math.max(...during) - baseline;
      const atMost = BUDGET_MB + BESIDE_MB;
      report({ bench: `${bench}: most above idle`, value: peak, unit: 'MB', bar: { atMost } });
      const [, second = [], , last = []] = quarters(during);
      const grown = median(last) - median(second);
      report({ bench: `${bench}: second quarter to last`, value: grown, unit: 'MB', bar: { atMost: 10 } });
    }
  } finally {
    await broker.stop();
    rmSync(directory, { recursive: true });
  }
}

async function fill(broker: BrokerProcess): Promise<void> {
  await using client = await connect(`kafka://${broker.address}`);
  await using producer = client.producer();
  for (let number = 0; number < RECORDS; number++)
    await producer.write(TOPIC, { value: `${number}`.padEnd(BYTES, '.') });
}

/** Of the consuming process: before it begins, and while it reads. */
async function residentMb(
  how: string,
  broker: BrokerProcess,
): Promise<{ baseline: number; during: number[] }> {
  const args = [LIBRARY, how, broker.address, `${BUDGET_MB * 1_000_000}`, `${RECORDS}`];
  const child = spawn(process.execPath, ['--input-type=module', '--eval', SCRIPT, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: child.stdout });
  const exited = once(child, 'exit');
  await once(lines, 'line');
  const baseline = residentBytes(child.pid) / 1e6;
  const during: number[] = [];
  const look = setInterval(() => during.push(residentBytes(child.pid) / 1e6), LOOK_EVERY_MS);
  const ended = once(lines, 'line') as Promise<[string]>;
  const [bytes] = await Promise.race([ended, exited.then(() => ['nothing'])]);
  clearInterval(look);
  await exited;
  if (Number(bytes) !== RECORDS * BYTES) throw new Error(`${how}: ${bytes} bytes came`);
  return { baseline, during };
}

function quarters<T>(all: readonly T[]): T[][] {
  return [0, 1, 2, 3].map((at) => all.slice((at * all.length) / 4, ((at + 1) * all.length) / 4));
}
