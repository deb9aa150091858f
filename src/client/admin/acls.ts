import { ErrorCode } from '../../model/errors.ts';
import { describeAclsApi } from '../../wire/apis/29-describe-acls.ts';
import { createAclsApi } from '../../wire/apis/30-create-acls.ts';
import { deleteAclsApi } from '../../wire/apis/31-delete-acls.ts';
import { BrokerError, invalidArgument } from '../errors.ts';
import type { AdminOptions, Asking } from './asking.ts';

/** By their numbers in the protocol. */
const RESOURCES = {
  topic: 2,
  group: 3,
  cluster: 4,
  'transactional-id': 5,
  'delegation-token': 6,
  user: 7,
} as const;
const OPERATIONS = {
  all: 2,
  read: 3,
  write: 4,
  create: 5,
  delete: 6,
  alter: 7,
  describe: 8,
  'cluster-action': 9,
  'describe-configs': 10,
  'alter-configs': 11,
  'idempotent-write': 12,
  'create-tokens': 13,
  'describe-tokens': 14,
  'two-phase-commit': 15,
} as const;
const PATTERNS = { literal: 3, prefixed: 4 } as const;
const PERMISSIONS = { deny: 2, allow: 3 } as const;
const ANY = 1;

/** A rule: who, from where, may or may not do what, with what. */
export interface AclRule {
  /** `User:alice`; `User:*` is everybody. */
  principal: string;
  /** An address; `*`, the default, is any. */
  host?: string;
  operation: keyof typeof OPERATIONS;
  /** `allow` unless given; a denial beats any permission. */
  permission?: keyof typeof PERMISSIONS;
  resource: keyof typeof RESOURCES;
  /** `*` is any name; of the cluster it is left out. */
  name?: string;
  /** `prefixed`: all names that begin so. `literal` unless given. */
  pattern?: keyof typeof PATTERNS;
}

/** What is left out matches all. */
export type AclRuleFilter = Partial<Required<AclRule>>;

const VERSIONS = { min: 1, max: 3 };
const CLUSTER_NAME = 'kafka-cluster';

/** Who may do what: `client.admin.acls`. Only with an authorizer; without one SECURITY_DISABLED. */
export class AclsAdmin {
  readonly #asking: Asking;

  /** @internal */
  constructor(asking: Asking) {
    this.#asking = asking;
  }

  list(filter: AclRuleFilter = {}, { signal }: AdminOptions = {}): Promise<Required<AclRule>[]> {
    const body = filterOf(filter);
    return this.#asking.try(
      async () => {
        const broker = await this.#asking.cluster.anyBroker(signal);
        const answer = await broker.request(describeAclsApi, VERSIONS, body, { signal });
        check(answer);
        return answer.resources.flatMap(({ acls, ...resource }) =>
          acls.map((acl) => ruleOf({ ...resource, ...acl })),
        );
      },
      { signal },
    );
  }

  /** Rules that are there already stay as they are. @throws MilenaError the first refusal; the others are made. */
  create(rules: readonly AclRule[], { signal }: AdminOptions = {}): Promise<void> {
    const creations = rules.map((rule) => ({
      resourceType: numberIn('resource', RESOURCES, rule.resource),
      resourceName: rule.name ?? (rule.resource === 'cluster' ? CLUSTER_NAME : ''),
      resourcePatternType: numberIn('pattern', PATTERNS, rule.pattern ?? 'literal'),
      principal: rule.principal,
      host: rule.host ?? '*',
      operation: numberIn('operation', OPERATIONS, rule.operation),
      permissionType: numberIn('permission', PERMISSIONS, rule.permission ?? 'allow'),
    }));
    return this.#asking.try(
      async () => {
        const broker = await this.#asking.cluster.anyBroker(signal);
        const { results } = await broker.request(createAclsApi, VERSIONS, { creations }, { signal });
        for (const result of results) check(result);
      },
      { signal },
    );
  }

  /** Removes what the filter matches. @returns what that was */
  remove(filter: AclRuleFilter, { signal }: AdminOptions = {}): Promise<Required<AclRule>[]> {
    const filters = [filterOf(filter)];
    return this.#asking.try(
      async () => {
        const broker = await this.#asking.cluster.anyBroker(signal);
        const { filterResults } = await broker.request(deleteAclsApi, VERSIONS, { filters }, { signal });
        return filterResults.flatMap((result) => {
          check(result);
          return result.matchingAcls.map(ruleOf);
        });
      },
      { signal },
    );
  }
}

function check({ errorCode, errorMessage }: { errorCode: number; errorMessage: string | null }): void {
  if (errorCode !== ErrorCode.NONE) throw new BrokerError(errorCode, 'acls', errorMessage);
}

function filterOf(filter: AclRuleFilter) {
  const { resource, operation, permission, pattern } = filter;
  return {
    resourceTypeFilter: resource === undefined ? ANY : numberIn('resource', RESOURCES, resource),
    resourceNameFilter: filter.name ?? null,
    patternTypeFilter: pattern === undefined ? ANY : numberIn('pattern', PATTERNS, pattern),
    principalFilter: filter.principal ?? null,
    hostFilter: filter.host ?? null,
    operation: operation === undefined ? ANY : numberIn('operation', OPERATIONS, operation),
    permissionType: permission === undefined ? ANY : numberIn('permission', PERMISSIONS, permission),
  };
}

interface WireAcl {
  resourceType: number;
  resourceName: string;
  patternType: number;
  principal: string;
  host: string;
  operation: number;
  permissionType: number;
}

function ruleOf(acl: WireAcl): Required<AclRule> {
  return {
    principal: acl.principal,
    host: acl.host,
    operation: nameIn(OPERATIONS, acl.operation),
    permission: nameIn(PERMISSIONS, acl.permissionType),
    resource: nameIn(RESOURCES, acl.resourceType),
    name: acl.resourceName,
    pattern: nameIn(PATTERNS, acl.patternType),
  };
}

function numberIn(what: string, names: Readonly<Record<string, number>>, name: string): number {
  const number = Object.hasOwn(names, name) ? names[name] : undefined;
  if (number === undefined)
    throw invalidArgument(`${what}: ${name} is none of ${Object.keys(names).join(', ')}`);
  return number;
}

/** A newer broker's number is told as it is. */
function nameIn<T extends string>(names: Readonly<Record<T, number>>, number: number): T {
  const found = (Object.entries(names) as [T, number][]).find(([, value]) => value === number);
  return found?.[0] ?? (String(number) as T);
}
