/** The numbers of KIP-11 and KIP-290, as in requests and in the metadata log. Some stand only in filters. */
export const AclResource = {
  UNKNOWN: 0,
  ANY: 1,
  TOPIC: 2,
  GROUP: 3,
  CLUSTER: 4,
  TRANSACTIONAL_ID: 5,
  DELEGATION_TOKEN: 6,
  USER: 7,
} as const;

export const AclOperation = {
  UNKNOWN: 0,
  ANY: 1,
  ALL: 2,
  READ: 3,
  WRITE: 4,
  CREATE: 5,
  DELETE: 6,
  ALTER: 7,
  DESCRIBE: 8,
  CLUSTER_ACTION: 9,
  DESCRIBE_CONFIGS: 10,
  ALTER_CONFIGS: 11,
  IDEMPOTENT_WRITE: 12,
  CREATE_TOKENS: 13,
  DESCRIBE_TOKENS: 14,
  TWO_PHASE_COMMIT: 15,
} as const;

export const AclPermission = { UNKNOWN: 0, ANY: 1, DENY: 2, ALLOW: 3 } as const;

export const AclPattern = { UNKNOWN: 0, ANY: 1, MATCH: 2, LITERAL: 3, PREFIXED: 4 } as const;

/** The one name of the cluster as a resource. */
export const CLUSTER_NAME = 'kafka-cluster';
/** Of a literal pattern: all names; of a host: from anywhere. */
export const WILDCARD = '*';
export const ANYBODY = 'User:*';

/** Names that a rule is about. */
export interface ResourcePattern {
  readonly resourceType: number;
  readonly resourceName: string;
  /** LITERAL, of which `*` is any name, or PREFIXED. */
  readonly patternType: number;
}

/** One rule: who, from where, may or may not do what, with what. */
export interface Acl extends ResourcePattern {
  readonly principal: string;
  readonly host: string;
  readonly operation: number;
  readonly permissionType: number;
}

/** Which rules are meant; null and ANY mean all. */
export interface AclFilter {
  readonly resourceTypeFilter: number;
  readonly resourceNameFilter: string | null;
  readonly patternTypeFilter: number;
  readonly principalFilter: string | null;
  readonly hostFilter: string | null;
  readonly operation: number;
  readonly permissionType: number;
}

/** Two rules are the same if these are. */
export function aclKey(acl: Acl): string {
  const { resourceType, resourceName, patternType, principal, host, operation, permissionType } = acl;
  return JSON.stringify([
    resourceType,
    resourceName,
    patternType,
    principal,
    host,
    operation,
    permissionType,
  ]);
}

export function matchesFilter(acl: Acl, filter: AclFilter): boolean {
  return (
    matchesPattern(acl, filter) &&
    (filter.principalFilter ?? acl.principal) === acl.principal &&
    (filter.hostFilter ?? acl.host) === acl.host &&
    isAnyOr(filter.operation, acl.operation) &&
    isAnyOr(filter.permissionType, acl.permissionType)
  );
}

/** MATCH means the rules that speak of this name, ANY those whose own name it is (KIP-290). */
function matchesPattern(
  { resourceType, resourceName, patternType }: ResourcePattern,
  { resourceTypeFilter, resourceNameFilter: name, patternTypeFilter }: AclFilter,
): boolean {
  if (!isAnyOr(resourceTypeFilter, resourceType)) return false;
  const isMatch = patternTypeFilter === AclPattern.MATCH;
  if (!isMatch && !isAnyOr(patternTypeFilter, patternType)) return false;
  if (name === null || name === resourceName) return true;
  if (!isMatch) return false;
  return patternType === AclPattern.PREFIXED ? name.startsWith(resourceName) : resourceName === WILDCARD;
}

function isAnyOr(wanted: number, value: number): boolean {
  return wanted === AclOperation.ANY || wanted === value;
}
