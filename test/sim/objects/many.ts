import { OBJECT_BUGS, OBJECT_FAULTS, type ObjectBug } from './faults.ts';
import { type ObjectsReport, simulateObjects } from './simulation.ts';

/** @throws when there is no such bug. */
export function objectBug(name: string | undefined): ObjectBug | undefined {
  if (name === undefined) return undefined;
  const bug = OBJECT_BUGS.find((one) => one === name);
  if (bug === undefined) throw new Error(`no bug ${name}; there are ${OBJECT_BUGS.join(', ')}`);
  return bug;
}

/** One seed of `npm run sim -- --objects`, and its trace. @returns whether all held. */
export async function tracedObjects(seed: number, bug?: string): Promise<boolean> {
  const report = await simulateObjects(seed, { isTraced: true, bug: objectBug(bug) });
  for (const line of report.trace) console.log(line);
  table([report], 0);
  if (report.failure) console.log(`\n${seed}  ${report.failure.message}`);
  return report.failure === undefined;
}

/** Many seeds. @returns whether all held, or the planted bug was caught. */
export async function manyObjects(from: number, count: number, bug?: string): Promise<boolean> {
  const planted = objectBug(bug);
  const startedAtMs = performance.now();
  const reports: ObjectsReport[] = [];
  let failures = 0;
  for (let seed = from; seed < from + count; seed++) {
    const report = await simulateObjects(seed, { bug: planted });
    reports.push({ ...report, trace: [] });
    if (report.failure === undefined) continue;
    failures++;
    console.log(`seed ${seed}  ${report.failure.message}`);
    if (planted !== undefined) break;
  }
  table(reports, performance.now() - startedAtMs);
  if (planted === undefined) {
    console.log(failures === 0 ? '\nall that was promised held' : `\nFAILED: ${failures} seeds`);
    return failures === 0;
  }
  console.log(
    failures > 0
      ? `\n${planted} was caught by seed ${reports.length}`
      : `\nFAILED: ${planted} was not caught`,
  );
  return failures > 0;
}

function table(reports: readonly ObjectsReport[], tookMs: number): void {
  const sum = (of: (report: ObjectsReport) => number) => reports.reduce((all, report) => all + of(report), 0);
  const rows: [string, number][] = [
    ['seeds', reports.length],
    ['operations', sum(({ operations }) => operations)],
    ['records', sum(({ records }) => records)],
    ['faults', sum(({ faults }) => Object.values(faults).reduce((all, count) => all + count, 0))],
    ...OBJECT_FAULTS.map((kind): [string, number] => [`  ${kind}`, sum(({ faults }) => faults[kind])]),
    ['objects woke', sum(({ wakes }) => wakes)],
    ['objects slept', sum(({ sleeps }) => sleeps)],
    ['alarms', sum(({ alarms }) => alarms)],
    ['segments copied to R2', sum(({ copied }) => copied)],
    ['virtual minutes', sum(({ virtualMs }) => virtualMs) / 60_000],
    ['events', sum(({ events }) => events)],
    ...(tookMs > 0 ? [['seeds a minute', reports.length / (tookMs / 60_000)] as [string, number]] : []),
  ];
  console.log();
  for (const [name, count] of rows)
    console.log(`${name.padEnd(24)}${Math.round(count).toLocaleString('en')}`);
}
