import { ok } from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Broker } from '../../src/hosts/node/broker.ts';
import { KafkaBroker } from './kafka/broker.ts';
import { javaArguments, KAFKA_VERSION, missingKafka } from './kafka/toolchain.ts';
import { type Answer, ANSWERS_FILE, MAIN_CLASS, type ToolRun, toolRuns } from './kafka/tools.ts';
import type { Check, Suite } from './suite.ts';

const SETTINGS = new Map([
  ['group.initial.rebalance.delay.ms', '0'],
  ['offsets.topic.num.partitions', '4'],
]);
const TIMEOUT_MS = 120_000;

/**
 * Kafka's command-line tools against a broker of Apache Kafka's, so that what is wanted of them is true, and against
 * ours. What they answered of ours is kept for the reference.
 */
export const suite: Suite = {
  name: 'kafka-tools',
  missing: missingKafka,
  async run(check) {
    const directory = await mkdtemp(join(tmpdir(), 'milena-tools-'));
    const files = await writeFiles(directory);
    const data = join(directory, 'kafka');
    await KafkaBroker.format(data, 'AAAAAAAAAAAAAAAAAAAAbA');
    const kafka = await KafkaBroker.start(data);
    await askAll(check, 'of Apache Kafka', { address: kafka.address, files });
    await kafka.stop();
    const broker = await Broker.start({ directory: join(directory, 'data'), settings: SETTINGS });
    const address = `127.0.0.1:${broker.kafka.port}`;
    const tools = await askAll(check, 'of ours', { address, files });
    await writeFile(ANSWERS_FILE, `${JSON.stringify({ kafka: KAFKA_VERSION, tools }, null, 2)}\n`);
    await broker.close();
    await rm(directory, { recursive: true });
  },
};

interface Place {
  address: string;
  files: Files;
}

async function askAll(check: Check, whose: string, place: Place): Promise<Answer[]> {
  const answers: Answer[] = [];
  for (const run of toolRuns()) {
    const command = [run.tool, ...run.args].join(' ');
    await check(`${whose}: ${run.fails ? `${command} (refused)` : command}`, async () => {
      const { code, printed } = await runTool(run, place);
      const isRight = (code !== 0) === run.fails && run.says.every((expression) => expression.test(printed));
      answers.push({ command, isRight, says: steady(wordsIn(run, printed, isRight)) });
      ok(isRight, `ended with ${code}, and said:\n${printed.slice(0, 3_000)}`);
    });
  }
  return answers;
}

type Files = Readonly<Record<string, string>>;

/** What tools read that take files. */
async function writeFiles(directory: string): Promise<Files> {
  const move = (replicas: number[]) => ({
    version: 1,
    partitions: [{ topic: 'orders', partition: 0, replicas }],
  });
  const contents: Readonly<Record<string, unknown>> = {
    move: move([1]),
    away: move([2]),
    records: { version: 1, partitions: [{ topic: 'orders', partition: 2, offset: 1 }] },
    elect: { partitions: [{ topic: 'orders', partition: 0 }] },
  };
  const files: Record<string, string> = {};
  for (const [name, content] of Object.entries(contents)) {
    files[name] = join(directory, `${name}.json`);
    await writeFile(files[name], JSON.stringify(content));
  }
  return files;
}

async function runTool(
  { tool, args, stdin }: ToolRun,
  { address, files }: Place,
): Promise<{ code: number | null; printed: string }> {
  const named = args.map((arg) => arg.replace(/^\{(\w+)\}$/, (_, name: string) => files[name] ?? ''));
  const at = ['--bootstrap-server', address];
  // Of this one it is an option of what it is to do, of all others the tool's own.
  const all = tool === 'kafka-cluster' ? [...named, ...at] : [...at, ...named];
  const mainClass = MAIN_CLASS[tool];
  ok(mainClass, `${tool} is a tool of Kafka's`);
  const child = spawn('java', javaArguments(mainClass, all), { timeout: TIMEOUT_MS });
  let printed = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (printed += chunk));
  // One that does not read may be gone before it is written to.
  child.stdin.on('error', () => {});
  child.stdin.end(stdin);
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, printed };
}

/** What was looked for, as it was found; of a tool that went wrong what it said first. */
function wordsIn({ says }: ToolRun, printed: string, isRight: boolean): string {
  if (!isRight) return printed.trim().split('\n')[0] ?? '';
  return says.map((expression) => expression.exec(printed)?.[0] ?? '').join(' … ');
}

/** The same in every run: without ids, ports and figures. */
function steady(text: string): string {
  return text
    .replaceAll(/(?<![\w.-])(?=[\w-]*[A-Z])(?=[\w-]*[a-z])[\w-]{22}(?![\w-])/g, '…')
    .replaceAll(/(?<=:)\d{4,5}\b|\b\d{13}\b/g, '…')
    .replaceAll(/\d+\.\d{2,}/g, '…')
    .replaceAll(/(?<="size":)\d+/g, '…')
    .replaceAll(/\s+/g, ' ');
}
