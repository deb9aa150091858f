import type { AclRule, AclRuleFilter } from '../../client/admin/acls.ts';
import { dryRunArgs, withAdmin } from '../admin.ts';
import { brokerArgs } from '../broker.ts';
import { command } from '../command.ts';
import { usage } from '../options.ts';
import type { Column } from '../terminal/table.ts';

const COLUMNS: readonly Column<Required<AclRule>>[] = [
  { head: 'principal', of: ({ principal }) => principal },
  { head: 'host', of: ({ host }) => host },
  {
    head: 'may',
    of: ({ permission }) => permission,
    style: ({ permission }) => (permission === 'deny' ? 'red' : undefined),
  },
  { head: 'operation', of: ({ operation }) => operation },
  { head: 'resource', of: ({ resource }) => resource },
  { head: 'name', of: ({ name, pattern }) => (pattern === 'prefixed' ? `${name}…` : name) },
];

const ruleArgs = {
  topic: { type: 'string', alias: 't', valueHint: 'NAME', description: 'About a topic; * is all' },
  group: { type: 'string', alias: 'g', valueHint: 'NAME', description: 'About a group; * is all' },
  'transactional-id': { type: 'string', valueHint: 'ID', description: 'About a transactional id; * is all' },
  cluster: { type: 'boolean', description: 'About the cluster' },
  prefixed: { type: 'boolean', description: 'The name is the beginning of names' },
  host: { type: 'string', valueHint: 'ADDRESS', description: 'From this address only' },
  operation: {
    type: 'string',
    alias: 'o',
    valueHint: 'NAME,…',
    description: 'read, write, create, delete, alter, describe, all, describe-configs, …',
  },
} as const;

interface RuleArgs {
  topic?: string | undefined;
  group?: string | undefined;
  'transactional-id'?: string | undefined;
  cluster?: boolean | undefined;
  prefixed?: boolean | undefined;
  host?: string | undefined;
  operation?: string | undefined;
}

/** What a rule is about. @throws CliError */
function resourceOf(args: RuleArgs): Pick<AclRule, 'resource' | 'name' | 'pattern'> | undefined {
  const { topic, group, 'transactional-id': id, cluster, prefixed } = args;
  const given = [
    ...(topic === undefined ? [] : [{ resource: 'topic', name: topic } as const]),
    ...(group === undefined ? [] : [{ resource: 'group', name: group } as const]),
    ...(id === undefined ? [] : [{ resource: 'transactional-id', name: id } as const]),
    ...(cluster ? [{ resource: 'cluster', name: 'kafka-cluster' } as const] : []),
  ];
  const [first, second] = given;
  if (second !== undefined)
    throw usage('a rule is about one of --topic, --group, --transactional-id, --cluster');
  return first && { ...first, ...(prefixed ? { pattern: 'prefixed' as const } : {}) };
}

const principalOf = (text: string) => (text.includes(':') ? text : `User:${text}`);
const operationsIn = (text: string | undefined) =>
  (text ?? '')
    .split(',')
    .map((each) => each.trim())
    .filter((each) => each !== '') as AclRule['operation'][];

function filterOf(args: RuleArgs, principal: string | undefined): AclRuleFilter {
  const [operation, second] = operationsIn(args.operation);
  if (second !== undefined) throw usage('one --operation at a time, or none for all');
  return {
    ...resourceOf(args),
    ...(principal !== undefined && { principal: principalOf(principal) }),
    ...(args.host !== undefined && { host: args.host }),
    ...(operation !== undefined && { operation }),
  };
}

/** `milena acl ls` */
export const list = command({
  name: 'acl ls',
  description: 'List rules of who may do what',
  args: {
    principal: {
      type: 'positional',
      required: false,
      description: 'User:NAME, or just the name; all unless given',
    },
    ...ruleArgs,
    ...brokerArgs,
  },
  completes: { topic: 'topic', group: 'group' },
  async run({ args, report }) {
    await withAdmin({ args, report }, async ({ acls }) =>
      report.list('acls', await acls.list(filterOf(args, args.principal)), COLUMNS),
    );
  },
});

/** Of `allow` and `deny`. */
function rulesCommand(permission: 'allow' | 'deny', description: string) {
  return command({
    name: `acl ${permission}`,
    description,
    args: {
      principal: {
        type: 'positional',
        required: true,
        description: 'User:NAME, or just the name; User:* is everybody',
      },
      ...ruleArgs,
      ...brokerArgs,
    },
    completes: { topic: 'topic', group: 'group' },
    async run({ args, report }) {
      const about = resourceOf(args);
      const operations = operationsIn(args.operation);
      if (about === undefined)
        throw usage('what is the rule about? --topic, --group, --transactional-id or --cluster');
      if (operations.length === 0) throw usage('what is it that they may or may not? --operation read,write');
      const { host = '*' } = args;
      const principal = principalOf(args.principal);
      const rules = operations.map((operation) => ({ ...about, principal, host, operation, permission }));
      await withAdmin({ args, report }, async ({ acls }) => {
        await acls.create(rules);
        report.list('acls', await acls.list({ ...about, principal }), COLUMNS);
      });
    },
  });
}

/** `milena acl allow` */
export const allow = rulesCommand('allow', 'Let somebody do something');

/** `milena acl deny` */
export const deny = rulesCommand('deny', 'Forbid somebody something, whatever allows it');

/** `milena acl rm` */
export const remove = command({
  name: 'acl rm',
  description: 'Remove the rules that all of this matches',
  args: {
    principal: { type: 'positional', required: false, description: 'User:NAME, or just the name' },
    ...ruleArgs,
    ...dryRunArgs,
    ...brokerArgs,
  },
  completes: { topic: 'topic', group: 'group' },
  async run({ args, report }) {
    const filter = filterOf(args, args.principal);
    if (Object.keys(filter).length === 0)
      throw usage('which rules? A principal, --topic, --operation or the like');
    await withAdmin({ args, report }, async ({ acls }) => {
      const found = await acls.list(filter);
      const isDry = args['dry-run'] === true;
      if (!isDry && found.length > 0) {
        await report.confirm(`remove ${found.length === 1 ? 'one rule' : `${found.length} rules`}?`);
        await acls.remove(filter);
      }
      report.list('acls', found, COLUMNS);
    });
  },
});
