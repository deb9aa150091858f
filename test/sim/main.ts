import { execFileSync } from 'node:child_process';
import { parseArgs } from 'node:util';
import { BUGS, isCaught } from '../../src/hosts/sim/bugs.ts';
import { FAULTS, type FaultKind } from '../../src/hosts/sim/nemesis.ts';
import type { SimulationReport } from '../../src/hosts/sim/simulation.ts';
import { manyObjects, tracedObjects } from './objects/many.ts';
import { type SeedOptions, runSeed } from './run.ts';
import { shortestFailing } from './shrink.ts';

const USAGE = `npm run sim [-- --seeds N] [--from SEED] [--bug NAME]   many seeds, and what they add up to
npm run sim -- --seed SEED [--bug NAME]                  one seed and its trace
  --transactions   shorter seeds, in which nearly all is transactions
  --shares         likewise, a share group
  --objects        the Worker and its objects, as Cloudflare has them`;

/** @returns whether all is as it should be: every seed clean, or the planted bug caught. */
async function main(): Promise<boolean> {
  const { values } = parseArgs({
    options: {
      seeds: { type: 'string', default: '100' },
      from: { type: 'string' },
      seed: { type: 'string' },
      bug: { type: 'string' },
      transactions: { type: 'boolean', default: false },
      shares: { type: 'boolean', default: false },
      objects: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  const { bug } = values;
  if (values.help) {
    console.log(USAGE);
    return true;
  }
  if (values.objects) {
    if (values.seed !== undefined) return tracedObjects(whole(values.seed, 'seed'), bug);
    const first =
      values.from === undefined ? Math.floor(Math.random() * 2 ** 31) : whole(values.from, 'from');
    return manyObjects(first, whole(values.seeds, 'seeds'), bug);
  }
  const cast = values.shares ? 'shares' : 'transactions';
  const options: SeedOptions = values.transactions || values.shares ? { bug, cast } : { bug };
  if (values.seed !== undefined) return traced(whole(values.seed, 'seed'), options);
  const from = values.from === undefined ? Math.floor(Math.random() * 2 ** 31) : whole(values.from, 'from');
  return many(from, whole(values.seeds, 'seeds'), options);
}

function whole(text: string, name: string): number {
  const number = Number(text);
  if (!Number.isSafeInteger(number) || number < 0)
    throw new Error(`--${name} takes a whole number, not ${text}`);
  return number;
}

async function traced(seed: number, options: SeedOptions): Promise<boolean> {
  const report = await runSeed(seed, { ...options, isTraced: true });
  for (const line of report.trace) console.log(line);
  table([report], 0);
  if (report.failure) console.log(`\n${nameOf(seed)}  ${report.failure.message}`);
  return report.failure === undefined;
}

async function many(from: number, count: number, options: SeedOptions): Promise<boolean> {
  const { bug } = options;
  const startedAtMs = performance.now();
  const reports: SimulationReport[] = [];
  let failures = 0;
  for (let seed = from; seed < from + count; seed++) {
    const report = await runSeed(seed, options);
    reports.push(report);
    if (report.failure === undefined) continue;
    await describe(report, options);
    const planted = bug === undefined ? undefined : BUGS[bug];
    if (planted && !isCaught(planted, report.failure)) continue;
    failures++;
    // Once is enough to say that it is caught.
    if (planted) break;
  }
  table(reports, performance.now() - startedAtMs);
  if (bug === undefined) {
    console.log(failures === 0 ? '\nall that was promised held' : `\nFAILED: ${failures} seeds`);
    return failures === 0;
  }
  console.log(
    failures > 0 ? `\n${bug} was caught by seed ${reports.length}` : `\nFAILED: ${bug} was not caught`,
  );
  return failures > 0;
}

async function describe(report: SimulationReport, options: SeedOptions): Promise<void> {
  console.log(`${nameOf(report.seed)}  ${report.failure?.message}`);
  const shortest = await shortestFailing(report, options);
  const faults = sum([shortest], ({ faults: counts }) => total(counts));
  console.log(
    `    shortest failing prefix: ${shortest.wildEvents} events, ${shortest.operations} operations, ` +
      `${faults} faults: ${shortest.failure?.message}`,
  );
}

/** `seed@commit`: what to give to `--seed`, and which code to give it to. */
function nameOf(seed: number): string {
  return `${seed}@${execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim()}`;
}

function sum(reports: readonly SimulationReport[], of: (report: SimulationReport) => number): number {
  return reports.reduce((all, report) => all + of(report), 0);
}

function total(faults: Record<FaultKind, number>): number {
  return Object.values(faults).reduce((all, count) => all + count, 0);
}

function table(reports: readonly SimulationReport[], tookMs: number): void {
  const figure = (count: number) => Math.round(count).toLocaleString('en');
  const [first] = reports;
  const last = reports.at(-1);
  const minutes = tookMs / 60_000;
  const rows: [string, string][] = [
    ['seeds', `${figure(reports.length)} (${first?.seed} to ${last?.seed})`],
    ['operations', figure(sum(reports, ({ operations }) => operations))],
    ['records', figure(sum(reports, ({ records }) => records))],
    ['transactions committed', figure(sum(reports, ({ transactions }) => transactions.ok))],
    ['  aborted', figure(sum(reports, ({ transactions }) => transactions.fail))],
    ['  nobody knows', figure(sum(reports, ({ transactions }) => transactions.info))],
    ['faults', figure(sum(reports, ({ faults }) => total(faults)))],
    ...FAULTS.map((kind): [string, string] => [
      `  ${kind}`,
      figure(sum(reports, ({ faults }) => faults[kind])),
    ]),
    ['restarts', figure(sum(reports, ({ restarts }) => restarts))],
    ['virtual time', `${(sum(reports, ({ virtualMs }) => virtualMs) / 3_600_000).toFixed(2)} h`],
    ['events', figure(sum(reports, ({ events }) => events))],
    ...(tookMs > 0 ? [['seeds a minute', figure(reports.length / minutes)] as [string, string]] : []),
  ];
  console.log();
  for (const [name, value] of rows) console.log(`${name.padEnd(24)}${value}`);
}

process.exit((await main()) ? 0 : 1);
