import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { crashEdge } from './edge.ts';
import { CrashRun, type RoundReport } from './run.ts';

/** `npm run crash [-- --rounds N --seed N --edge]`: exit code 1 when anything acknowledged was not kept. */
async function main(): Promise<boolean> {
  const { values } = parseArgs({
    options: {
      rounds: { type: 'string', default: '50' },
      seed: { type: 'string' },
      edge: { type: 'boolean', default: false },
    },
  });
  const rounds = Number(values.rounds);
  const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 32));
  if (values.edge) return crashEdge(await mkdtemp(join(tmpdir(), 'milena-crash-')), { rounds, seed });
  const startedAtMs = performance.now();
  const run = await CrashRun.start(await mkdtemp(join(tmpdir(), 'milena-crash-')), seed);
  const faults: string[] = [];
  const reports: RoundReport[] = [];
  for (let round = 1; round <= rounds; round++) {
    const report = await run.round(round);
    reports.push(report);
    console.log(line(report));
    for (const fault of report.faults) console.log(`    ${fault}`);
    faults.push(...report.faults);
  }
  const { acknowledgedRecords, readyMs, warnings, membersGaveUp } = run;
  faults.push(...(await run.stop()));
  const tookMs = performance.now() - startedAtMs;
  table(reports, { seed, acknowledgedRecords, readyMs, warnings, membersGaveUp, tookMs });
  for (const fault of faults.slice(0, 20)) console.log(fault);
  console.log(faults.length === 0 ? '\nnothing acknowledged was lost' : `\nFAILED: ${faults.length} faults`);
  return faults.length === 0;
}

function line(report: RoundReport): string {
  const { round, acks, groupCommits, onTheirWay, graceMs, stillbirthsMs, torn, readyMs, records, sizeBytes } =
    report;
  const what = [
    `${acks} acks (${groupCommits} by the group)`.padEnd(28),
    `${onTheirWay} on their way`.padEnd(16),
    `ready ${Math.round(readyMs)} ms`.padEnd(14),
    `${figure(records)} records, ${(sizeBytes / 1e6).toFixed(1)} MB checked`,
    ...(graceMs === undefined ? [] : [`SIGTERM ${graceMs} ms before`]),
    ...(stillbirthsMs.length > 0 ? [`killed again after ${stillbirthsMs.join(', ')} ms`] : []),
    ...(torn === undefined ? [] : [torn]),
  ];
  const verdict = report.faults.length === 0 ? 'ok    ' : 'FAULTS';
  return `round ${String(round).padStart(3)}  ${verdict}  ${what.join('  ')}`;
}

interface Summary {
  seed: number;
  acknowledgedRecords: number;
  readyMs: readonly number[];
  warnings: readonly string[];
  membersGaveUp: number;
  tookMs: number;
}

function table(reports: readonly RoundReport[], summary: Summary): void {
  const sum = (of: (report: RoundReport) => number) =>
    reports.reduce((total, report) => total + of(report), 0);
  const sorted = summary.readyMs.toSorted((a, b) => a - b);
  const stillbirths = sum(({ stillbirthsMs }) => stillbirthsMs.length);
  const asked = sum(({ graceMs }) => (graceMs === undefined ? 0 : 1));
  const rows: [string, string][] = [
    ['seed', String(summary.seed)],
    ['rounds', `${reports.length} in ${(summary.tookMs / 1000).toFixed(0)} s, one directory`],
    ['SIGKILL', `${reports.length - asked} under load, ${stillbirths} more during start-up`],
    ['SIGTERM', `${asked} under load, with a SIGKILL at most 60 ms behind it`],
    ['torn', `${sum(({ torn }) => (torn === undefined ? 0 : 1))} times; ${summary.warnings.length} warnings`],
    ['acknowledgements', `${figure(sum(({ acks }) => acks))}`],
    ['records acknowledged', figure(summary.acknowledgedRecords)],
    ['commits of the group', figure(sum(({ groupCommits }) => groupCommits))],
    ['members replaced', `${summary.membersGaveUp}, which kafkajs had ended by itself`],
    ['batches on their way', `${figure(sum(({ onTheirWay }) => onTheirWay))} when the broker died`],
    [
      'ready again after',
      `${Math.round(sorted[sorted.length >> 1] ?? 0)} ms (median), ${Math.round(sorted.at(-1) ?? 0)} ms (longest)`,
    ],
  ];
  console.log();
  for (const [name, value] of rows) console.log(`${name.padEnd(20)}  ${value}`);
}

function figure(count: number): string {
  return count.toLocaleString('en');
}

process.exit((await main()) ? 0 : 1);
