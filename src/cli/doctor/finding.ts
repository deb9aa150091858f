/** What a check found. `fail` keeps a node from working, `warn` may surprise. */
export interface Finding {
  check: string;
  status: 'ok' | 'warn' | 'fail';
  found: string;
  /** What to do; with every finding that is not ok. */
  fix?: string;
}

export function ok(check: string, found: string): Finding {
  return { check, status: 'ok', found };
}

export function warn(check: string, found: string, fix: string): Finding {
  return { check, status: 'warn', found, fix };
}

export function fail(check: string, found: string, fix: string): Finding {
  return { check, status: 'fail', found, fix };
}

const MARKS = { ok: 'ok', warn: 'warn', fail: 'FAIL' } as const;

/** One finding a line, what to do under it. */
export function findingLines(findings: readonly Finding[]): string {
  const width = Math.max(...findings.map(({ check }) => check.length));
  return findings
    .flatMap(({ check, status, found, fix }) => [
      `${MARKS[status].padEnd(4)}  ${check.padEnd(width)}  ${found}`,
      ...(fix === undefined ? [] : [`${' '.repeat(width + 8)}${fix}`]),
    ])
    .join('\n');
}
