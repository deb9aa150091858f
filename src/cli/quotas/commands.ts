import type { QuotaEntity, QuotaListing } from '../../client/admin/quotas.ts';
import { dryRunArgs, pairsIn, withAdmin } from '../admin.ts';
import { brokerArgs } from '../broker.ts';
import { command } from '../command.ts';
import { usage } from '../options.ts';
import type { Report } from '../terminal/report.ts';

const entityArgs = {
  user: { type: 'string', alias: 'u', valueHint: 'NAME', description: 'Of a user' },
  'client-id': { type: 'string', valueHint: 'ID', description: 'Of a client id; with a user, of both' },
  ip: { type: 'string', valueHint: 'ADDRESS', description: 'Of an address' },
  'default-user': { type: 'boolean', description: 'Of users who have none of their own' },
  'default-client-id': { type: 'boolean', description: 'Of client ids that have none of their own' },
  'default-ip': { type: 'boolean', description: 'Of addresses that have none of their own' },
} as const;

type EntityArgs = { [name in keyof typeof entityArgs]?: string | boolean | undefined };

/** @throws CliError */
function entityOf(args: EntityArgs): QuotaEntity {
  return {
    ...partOf(args, 'user', 'user'),
    ...partOf(args, 'client-id', 'clientId'),
    ...partOf(args, 'ip', 'ip'),
  };
}

function partOf(args: EntityArgs, option: 'user' | 'client-id' | 'ip', name: keyof QuotaEntity): QuotaEntity {
  const given = args[option] as string | undefined;
  const isDefault = args[`default-${option}`] === true;
  if (given !== undefined && isDefault) throw usage(`--${option} or --default-${option}, not both`);
  if (isDefault) return { [name]: null };
  return given === undefined ? {} : { [name]: given };
}

function mustBeNamed(entity: QuotaEntity): void {
  if (Object.keys(entity).length === 0) throw usage('whose quota? --user, --client-id, --ip or a default');
}

const nameOf = (name: string | null | undefined) => (name === null ? '(default)' : (name ?? ''));

function show(report: Report, quotas: readonly QuotaListing[]): void {
  const rows = quotas.flatMap(({ entity, limits }) =>
    Object.entries(limits).map(([quota, value]) => ({ ...entity, quota, value })),
  );
  report.list('quotas', rows, [
    { head: 'user', of: ({ user }) => nameOf(user) },
    { head: 'client id', of: ({ clientId }) => nameOf(clientId) },
    { head: 'address', of: ({ ip }) => nameOf(ip) },
    { head: 'quota', of: ({ quota }) => quota },
    { head: 'a second', of: ({ value }) => value },
  ]);
}

/** `milena quotas ls` */
export const list = command({
  name: 'quotas ls',
  description: 'List what clients may at most do',
  args: { ...entityArgs, ...brokerArgs },
  async run({ args, report }) {
    const filter = entityOf(args);
    await withAdmin({ args, report }, async ({ quotas }) => show(report, await quotas.list(filter)));
  },
});

/** `milena quotas set` */
export const set = command({
  name: 'quotas set',
  description: 'Limit what somebody may do: a client that does more is held up',
  args: {
    pair: {
      type: 'positional',
      required: true,
      description: 'NAME=VALUE, as many as you like: producer_byte_rate=1048576',
    },
    ...entityArgs,
    ...dryRunArgs,
    ...brokerArgs,
  },
  hasMany: true,
  async run({ args, words, report }) {
    const entity = entityOf(args);
    mustBeNamed(entity);
    const limits = Object.entries(pairsIn('quotas set', words)).map(([name, text]): [string, number] => {
      const value = Number(text);
      if (text.trim() === '' || !(value > 0)) throw usage(`${name} is a number above 0, not "${text}"`);
      return [name, value];
    });
    const dryRun = args['dry-run'] === true;
    await withAdmin({ args, report }, async ({ quotas }) => {
      await quotas.set(entity, Object.fromEntries(limits), { dryRun });
      show(
        report,
        dryRun ? [{ entity, limits: Object.fromEntries(limits) }] : await ofExactly(quotas, entity),
      );
    });
  },
});

/** `milena quotas rm` */
export const remove = command({
  name: 'quotas rm',
  description: 'Take quotas away: those that are named, or all of somebody',
  args: {
    name: { type: 'positional', required: false, description: 'Name of a quota; all unless given' },
    ...entityArgs,
    ...dryRunArgs,
    ...brokerArgs,
  },
  hasMany: true,
  async run({ args, words, report }) {
    const entity = entityOf(args);
    mustBeNamed(entity);
    await withAdmin({ args, report }, async ({ quotas }) => {
      const found = await ofExactly(quotas, entity);
      const isMeant = ([name]: [string, number]) => words.length === 0 || words.includes(name);
      const meant = found.map((quota) => ({
        entity: quota.entity,
        limits: Object.fromEntries(Object.entries(quota.limits).filter(isMeant)),
      }));
      const names = meant.flatMap(({ limits }) => Object.keys(limits));
      if (args['dry-run'] !== true && names.length > 0) {
        await report.confirm(`remove ${names.join(', ')}?`);
        await quotas.set(entity, Object.fromEntries(names.map((name) => [name, null])));
      }
      show(report, meant);
    });
  },
});

/** A filter would match those of whom it is a part, too. */
async function ofExactly(
  quotas: { list(filter: QuotaEntity): Promise<QuotaListing[]> },
  entity: QuotaEntity,
): Promise<QuotaListing[]> {
  const found = await quotas.list(entity);
  return found.filter((quota) => Object.keys(quota.entity).length === Object.keys(entity).length);
}
