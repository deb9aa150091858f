import type { ConfigChange } from '../../client/admin/configs.ts';
import type { Report } from '../terminal/report.ts';

/** What was changed, or would be. */
export function showChanges(
  report: Report,
  changes: Readonly<Record<string, ConfigChange>>,
  { dryRun }: { dryRun: boolean },
): void {
  const outcome = dryRun ? 'would be changed' : 'changed';
  const rows = Object.entries(changes).map(([name, value]) => ({ name, value, outcome }));
  report.list('configs', rows, [
    { head: 'setting', of: ({ name }) => name },
    { head: 'value', of: ({ value }) => shown(value) },
    { head: 'outcome', of: (row) => row.outcome },
  ]);
}

function shown(change: ConfigChange): string {
  if (change === null) return '(default)';
  if (typeof change !== 'object') return String(change);
  return 'append' in change ? `+${change.append}` : `-${change.subtract}`;
}
