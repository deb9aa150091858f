import type { ArgsDef } from 'citty';
import type { Admin } from '../client/admin/admin.ts';
import { MilenaError } from '../client/errors.ts';
import { type BrokerArgs, connectTo, mustHaveTopics } from './broker.ts';
import { usage } from './options.ts';
import type { Report } from './terminal/report.ts';

/** Of what cannot be undone. */
export const dryRunArgs = {
  'dry-run': { type: 'boolean', description: 'Only say what would be done' },
} satisfies ArgsDef;

/** Connects, does it, and lets go. */
export async function withAdmin(
  { args, report }: { args: BrokerArgs; report: Report },
  work: (admin: Admin) => Promise<void>,
): Promise<void> {
  await using client = await connectTo(args, { report });
  await work(client.admin);
}

/** Does something with topics; if one is not there, says which may have been meant. */
export async function withTopics<T>(
  admin: Admin,
  names: readonly string[],
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof MilenaError) || error.code !== 'UNKNOWN_TOPIC_OR_PARTITION') throw error;
    await mustHaveTopics(admin, names);
    throw error;
  }
}

/** `key=value`, as often as it is given. @throws CliError */
export function pairsIn(option: string, texts: readonly string[]): Record<string, string> {
  const pairs = texts.map((text): [string, string] => {
    const at = text.indexOf('=');
    if (at > 0) return [text.slice(0, at), text.slice(at + 1)];
    throw usage(`${option} takes key=value, not "${text}"`, 'such as retention.ms=86400000');
  });
  return Object.fromEntries(pairs);
}

/** A moment, for people. */
export function momentOf(timestamp: number | null): string | null {
  return timestamp === null ? null : new Date(timestamp).toISOString();
}

/** `1 partition`, `2 partitions`. */
export function counted(count: number, what: string): string {
  return `${count.toLocaleString('en')} ${what}${count === 1 ? '' : 's'}`;
}
