import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type RealRun, realRun } from './real/run.ts';

/** `npm run anomalies [-- --runs N --seed N --jobs N]`: exit code 1 when the checker finds anything bad. */
async function main(): Promise<boolean> {
  const { values } = parseArgs({
    options: {
      runs: { type: 'string', default: '20' },
      seed: { type: 'string' },
      // Runs at once.
      jobs: { type: 'string', default: '1' },
    },
  });
  const from = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31));
  const seeds = Array.from({ length: Number(values.runs) }, (_, number) => from + number);
  const runs: RealRun[] = [];
  const work = async () => {
    for (let seed = seeds.shift(); seed !== undefined; seed = seeds.shift()) {
      const run = await realRun(seed);
      runs.push(run);
      await tell(run);
    }
  };
  await Promise.all(Array.from({ length: Number(values.jobs) }, work));
  table(runs);
  const failures = runs.filter((run) => !isClean(run)).length;
  console.log(failures === 0 ? '\nnothing bad was found' : `\nFAILED: ${failures} runs`);
  return failures === 0;
}

async function tell(run: RealRun): Promise<void> {
  console.log(line(run));
  if (isClean(run)) return;
  for (const fault of [...run.faults, ...run.verdict.bad.map(({ kind, what }) => `${kind}: ${what}`)])
    console.log(`    ${fault}`);
  const path = join(tmpdir(), `milena-anomalies-${run.seed}.json`);
  await writeFile(path, JSON.stringify(run.history.operations));
  console.log(`    what clients did is in ${path}`);
}

function isClean({ faults, verdict }: RealRun): boolean {
  return faults.length === 0 && verdict.bad.length === 0;
}

function line(run: RealRun): string {
  const { seed, operations, transactions, kills, verdict, hasKafkajs, tookMs } = run;
  const allowed = Array.from(verdict.counts, ([kind, count]) => `${count} ${kind}`);
  return [
    `seed ${seed}`.padEnd(16),
    isClean(run) ? 'ok    ' : 'FAILED',
    `${operations} operations`.padEnd(16),
    `${transactions.ok} committed, ${transactions.fail} aborted, ${transactions.info} unknown`.padEnd(38),
    `${kills} kills`,
    `${(tookMs / 1000).toFixed(1)} s`,
    hasKafkajs ? 'kafkajs' : '       ',
    allowed.join(', '),
  ].join('  ');
}

function table(runs: readonly RealRun[]): void {
  const sum = (of: (run: RealRun) => number) => runs.reduce((total, run) => total + of(run), 0);
  const figure = (count: number) => Math.round(count).toLocaleString('en');
  const rows: [string, string][] = [
    ['runs', `${runs.length}, from seed ${Math.min(...runs.map(({ seed }) => seed))} on`],
    ['with kafkajs', figure(sum(({ hasKafkajs }) => Number(hasKafkajs)))],
    ['kills', figure(sum(({ kills }) => kills))],
    ['operations', figure(sum(({ operations }) => operations))],
    ['transactions committed', figure(sum(({ transactions }) => transactions.ok))],
    ['  aborted', figure(sum(({ transactions }) => transactions.fail))],
    ['  nobody knows', figure(sum(({ transactions }) => transactions.info))],
    ['longest unseen', `${figure(Math.max(0, ...runs.map(({ verdict }) => verdict.lagMs)))} ms`],
    ['took', `${figure(sum(({ tookMs }) => tookMs) / 1000)} s`],
  ];
  console.log();
  for (const [name, value] of rows) console.log(`${name.padEnd(24)}${value}`);
}

process.exit((await main()) ? 0 : 1);
