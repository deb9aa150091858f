// `npm run test:compat [-- name ...]`: Milena against what other toolchains bring, suite by suite. A suite whose
// toolchain is missing says SKIPPED and why; exit code 1 when any check failed.
import type { Check, Suite } from './suite.ts';

/** By name, each a module that exports `suite`. */
const SUITES: Record<string, () => Promise<{ suite: Suite }>> = {
  client: () => import('./client.ts'),
  'client-groups': () => import('./client-groups.ts'),
  'full-disk': () => import('./full-disk.ts'),
  'kafka-dump': () => import('./kafka-dump.ts'),
  'kafka-opens-ours': () => import('./kafka-opens-ours.ts'),
  'kafka-tools': () => import('./kafka-tools.ts'),
  'we-open-kafkas': () => import('./we-open-kafkas.ts'),
  'confluent-kafka': () => import('./confluent-kafka.ts'),
  'confluent-kafka-javascript': () => import('./confluent-javascript.ts'),
  edge: () => import('./edge.ts'),
  connect: () => import('./connect.ts'),
  'mirror-maker': () => import('./mirror-maker.ts'),
  streams: () => import('./streams.ts'),
  firefox: () => import('./firefox.ts'),
  'node-22': () => import('./node-22.ts'),
  promtool: () => import('./promtool.ts'),
};
/** A check that hangs has failed. */
const CHECK_TIMEOUT_MS = 180_000;

interface Result {
  name: string;
  passed: number;
  failed: string[];
  /** Undefined when it ran. */
  skipped: string | undefined;
  tookMs: number;
}

const named = process.argv.slice(2);
const unknown = named.filter((name) => !(name in SUITES));
if (unknown.length > 0) {
  console.error(`No suite called ${unknown.join(', ')}. There are: ${Object.keys(SUITES).join(', ')}.`);
  process.exit(2);
}
const results: Result[] = [];
for (const name of named.length > 0 ? named : Object.keys(SUITES)) {
  results.push(await runSuite((await SUITES[name]!()).suite));
}
report(results);
process.exit(results.some(({ failed }) => failed.length > 0) ? 1 : 0);

async function runSuite(suite: Suite): Promise<Result> {
  const startedAtMs = performance.now();
  const result: Result = { name: suite.name, passed: 0, failed: [], skipped: undefined, tookMs: 0 };
  const check: Check = async (name, work) => {
    try {
      await withinTime(Promise.resolve().then(work));
      result.passed++;
      console.log(`ok      ${suite.name}: ${name}`);
      return true;
    } catch (error) {
      result.failed.push(name);
      console.log(`FAILED  ${suite.name}: ${name}\n${indented(error)}`);
      return false;
    }
  };
  try {
    result.skipped = await suite.missing();
    if (result.skipped === undefined) await suite.run(check);
    else console.log(`SKIPPED ${suite.name}: ${result.skipped}`);
  } catch (error) {
    await check('runs to its end', () => Promise.reject(error));
  }
  result.tookMs = performance.now() - startedAtMs;
  return result;
}

async function withinTime(work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not done after ${CHECK_TIMEOUT_MS} ms`)), CHECK_TIMEOUT_MS);
  });
  await Promise.race([work, late]).finally(() => clearTimeout(timer));
}

function indented(error: unknown): string {
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return text.replaceAll(/^/gm, '        ');
}

function report(all: readonly Result[]): void {
  console.log();
  for (const { name, passed, failed, skipped, tookMs } of all) {
    const counts =
      skipped === undefined ? `${passed} passed, ${failed.length} failed` : `skipped: ${skipped}`;
    console.log(`${name.padEnd(24)}  ${`${(tookMs / 1000).toFixed(1)} s`.padStart(8)}  ${counts}`);
  }
  const sum = (of: (result: Result) => number) => all.reduce((total, result) => total + of(result), 0);
  const skipped = sum((result) => (result.skipped === undefined ? 0 : 1));
  console.log(
    `\n${sum(({ passed }) => passed)} passed, ${sum(({ failed }) => failed.length)} failed, ${skipped} skipped`,
  );
}
