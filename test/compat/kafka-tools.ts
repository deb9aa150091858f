import { ok } from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Ask } from './kafka/answers.ts';
import { askBoth } from './kafka/homes.ts';
import { javaArguments, missingKafka } from './kafka/toolchain.ts';
import { MAIN_CLASS, type ToolRun, toolRuns } from './kafka/tools.ts';
import type { Suite } from './suite.ts';

/** Rules are kept, and whoever asks here may do all. */
const SETTINGS = {
  'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
  'super.users': 'User:ANONYMOUS',
};
const TIMEOUT_MS = 120_000;

/**
 * Kafka's command-line tools against a broker of Apache Kafka's, so that what is wanted of them is true, and against
 * ours. What they answered of ours is kept for the reference.
 */
export const suite: Suite = {
  name: 'kafka-tools',
  missing: missingKafka,
  run: (check) =>
    askBoth(check, { suite: 'kafka-tools', settings: SETTINGS }, async (ask, { address, directory }) => {
      const files = await writeFiles(directory);
      for (const run of toolRuns()) await askTool(ask, run, { address, files });
    }),
};

interface Place {
  address: string;
  files: Files;
}

async function askTool(ask: Ask, run: ToolRun, place: Place): Promise<void> {
  await ask([run.tool, ...run.args].join(' '), async () => {
    const { code, printed } = await runTool(run, place);
    const endsRight = run.isEndless || (code !== 0) === run.fails;
    const isRight = endsRight && hasSaid(run, printed);
    ok(isRight, `${printed.trim().slice(0, 3_000)}\n(ended with ${code})`);
    return steady(run.says.map((expression) => found(expression, printed)).join(' … '));
  });
}

function hasSaid({ says }: ToolRun, printed: string): boolean {
  return says.every((expression) => expression.test(printed));
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
    nothing: {},
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
  run: ToolRun,
  { address, files }: Place,
): Promise<{ code: number | null; printed: string }> {
  const { tool, args, stdin, isEndless } = run;
  const named = args.map((arg) => arg.replace(/^\{(\w+)\}$/, (_, name: string) => files[name] ?? ''));
  const at = [tool === 'kafka-replica-verification' ? '--broker-list' : '--bootstrap-server', address];
  // Of this one it is an option of what it is to do, of all others the tool's own.
  const all = tool === 'kafka-cluster' ? [...named, ...at] : [...at, ...named];
  const mainClass = MAIN_CLASS[tool];
  ok(mainClass, `${tool} is a tool of Kafka's`);
  const child = spawn('java', javaArguments(mainClass, all), { timeout: TIMEOUT_MS });
  let printed = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => {
      printed += chunk;
      if (isEndless && hasSaid(run, printed)) child.kill();
    });
  }
  // One that does not read may be gone before it is written to.
  child.stdin.on('error', () => {});
  child.stdin.end(stdin);
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, printed };
}

/** Without what its groups matched. */
function found(expression: RegExp, printed: string): string {
  const [whole, ...groups] = expression.exec(printed)?.indices ?? [];
  if (whole === undefined) return '';
  const bounds = [whole[0], ...groups.flatMap((group) => group ?? []), whole[1]];
  const kept = bounds.flatMap((from, at) => (at % 2 === 0 ? [printed.slice(from, bounds[at + 1])] : []));
  return kept.join('…');
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
