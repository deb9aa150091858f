import type { Findings } from './ledger.ts';

interface Phase {
  ms: number;
  kills: number;
}

export interface Outcome {
  sent: number;
  acknowledged: number;
  keys: number;
  /** Records in the log, as the broker says. */
  logEnd: number;
  findings: Findings;
  /** Records each member of the group was given. */
  given: readonly number[];
  /** What the group has not committed. */
  lag: number;
  produce: Phase;
  /** Between the phases. */
  idleKills: number;
  consume: Phase;
  readyMs: readonly number[];
}

/** Prints the table. @returns whether all is as it must be. */
export function report(outcome: Outcome): boolean {
  const { sent, acknowledged, findings, produce, consume, readyMs, keys } = outcome;
  const { lost, duplicated, outOfOrder, wrong, gaps, redelivered } = findings;
  const good = [lost, duplicated, outOfOrder, wrong, gaps].every((count) => count === 0);
  const whole = outcome.logEnd === sent && acknowledged === sent && findings.logged === sent;
  const sorted = readyMs.toSorted((a, b) => a - b);
  const rows: [string, string][] = [
    ['records in', `${figure(sent)}, acknowledged ${figure(acknowledged)}`],
    ['records in the log', figure(outcome.logEnd)],
    ['records out', `${figure(findings.logged)}, to three members: ${outcome.given.map(figure).join(' + ')}`],
    ['lost', figure(lost)],
    ['duplicated in the log', figure(duplicated)],
    ['out of order', `${figure(outOfOrder)} (${figure(keys)} keys looked at, record by record)`],
    ['wrong or missing offsets', figure(wrong + gaps)],
    ['redelivered after a kill', `${figure(redelivered)} (read, not yet committed: at-least-once allows it)`],
    ['left uncommitted', figure(outcome.lag)],
    ['produce', phase(sent, produce)],
    ['consume', phase(findings.logged + redelivered, consume)],
    ['SIGKILL', `${produce.kills} producing, ${outcome.idleKills} between, ${consume.kills} consuming`],
    ['ready again after', `${ms(sorted[sorted.length >> 1])} (median), ${ms(sorted.at(-1))} (longest)`],
  ];
  const width = Math.max(...rows.map(([name]) => name.length));
  for (const [name, value] of rows) console.log(`${name.padEnd(width)}  ${value}`);
  console.log(good && whole ? '\nnothing lost, nothing twice, all in order' : '\nFAILED');
  return good && whole;
}

function phase(records: number, { ms: took, kills }: Phase): string {
  const rate = Math.round((records / took) * 1000);
  return `${figure(rate)} records/s over ${(took / 1000).toFixed(1)} s, ${kills} restarts included`;
}

function figure(count: number): string {
  return count.toLocaleString('en');
}

function ms(value: number | undefined): string {
  return `${Math.round(value ?? 0)} ms`;
}
