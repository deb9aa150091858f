import type { ConfigChange, ConfigEntry } from '../../client/admin/configs.ts';
import { dryRunArgs, pairsIn, withAdmin, withTopics } from '../admin.ts';
import { type BrokerArgs, brokerArgs } from '../broker.ts';
import { command } from '../command.ts';
import type { Report } from '../terminal/report.ts';
import type { Column } from '../terminal/table.ts';
import { showChanges } from './changes.ts';
import { type ResourceArgs, resourceArgs, resourceOf } from './resource.ts';

const COLUMNS: readonly Column<ConfigEntry>[] = [
  { head: 'setting', of: ({ name }) => name },
  { head: 'value', of: ({ value, isSensitive }) => (isSensitive ? '(secret)' : value) },
  { head: 'set by', of: ({ source }) => source, style: ({ isDefault }) => (isDefault ? 'dim' : undefined) },
  {
    head: 'default',
    of: ({ name, byDefault }) =>
      byDefault === undefined || byDefault.name === name
        ? byDefault?.value
        : `${byDefault.name}=${byDefault.value ?? ''}`,
  },
];

/** `milena configs ls` */
export const list = command({
  name: 'configs ls',
  description: 'List settings, who set them, and their defaults',
  args: {
    ...resourceArgs,
    all: { type: 'boolean', alias: 'a', description: 'Also those that nobody set' },
    setting: { type: 'positional', required: false, description: 'These only' },
    ...brokerArgs,
  },
  hasMany: true,
  completes: { topic: 'topic', group: 'group' },
  async run({ args, words, report }) {
    const resource = resourceOf(args);
    const named = words.length > 0 ? { names: words } : {};
    await withAdmin({ args, report }, async (admin) => {
      const found = await withTopics(admin, [args.topic ?? ''], () =>
        admin.configs.describe(resource, named),
      );
      const isAll = args.all === true || words.length > 0;
      report.list('configs', isAll ? found : found.filter(({ isDefault }) => !isDefault), COLUMNS);
    });
  },
});

/** `milena configs set` */
export const set = command({
  name: 'configs set',
  description: 'Change settings',
  args: {
    ...resourceArgs,
    pair: { type: 'positional', required: true, description: 'KEY=VALUE; of a list KEY+=ITEM and KEY-=ITEM' },
    ...dryRunArgs,
    ...brokerArgs,
  },
  hasMany: true,
  completes: { topic: 'topic', group: 'group' },
  run: (given) => change(given, changesIn(pairsIn('configs set', given.words))),
});

/** `milena configs unset` */
export const unset = command({
  name: 'configs unset',
  description: 'Let settings go back to their defaults',
  args: {
    ...resourceArgs,
    setting: { type: 'positional', required: true, description: 'Names' },
    ...dryRunArgs,
    ...brokerArgs,
  },
  hasMany: true,
  completes: { topic: 'topic', group: 'group' },
  run: (given) => change(given, Object.fromEntries(given.words.map((name) => [name, null]))),
});

async function change(
  { args, report }: { args: ChangeArgs; report: Report },
  changes: Readonly<Record<string, ConfigChange>>,
): Promise<void> {
  const resource = resourceOf(args);
  const dryRun = args['dry-run'] === true;
  await withAdmin({ args, report }, async (admin) => {
    await withTopics(admin, [args.topic ?? ''], () => admin.configs.alter(resource, changes, { dryRun }));
    showChanges(report, changes, { dryRun });
  });
}

/** `KEY+=ITEM` and `KEY-=ITEM` say what becomes of one item. */
function changesIn(pairs: Readonly<Record<string, string>>): Record<string, ConfigChange> {
  const changes = Object.entries(pairs).map(([key, value]): [string, ConfigChange] => {
    if (key.endsWith('+')) return [key.slice(0, -1), { append: value }];
    return key.endsWith('-') ? [key.slice(0, -1), { subtract: value }] : [key, value];
  });
  return Object.fromEntries(changes);
}

interface ChangeArgs extends ResourceArgs, BrokerArgs {
  'dry-run'?: boolean | undefined;
}
