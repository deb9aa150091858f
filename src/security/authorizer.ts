import { type Acl, AclOperation, AclPattern, AclPermission, ANYBODY, WILDCARD } from './acl.ts';
import type { AclTable } from './acl-table.ts';

/** Who asks. */
export interface Requester {
  /** `User:alice` */
  readonly principal: string;
  /** Without a slash: `127.0.0.1`. */
  readonly host: string;
}

/** What is asked about. */
export interface Action {
  readonly operation: number;
  readonly resourceType: number;
  readonly resourceName: string;
}

const { ALL, READ, WRITE, DELETE, ALTER, DESCRIBE, ALTER_CONFIGS, DESCRIBE_CONFIGS } = AclOperation;

/** What somebody may who may something else; who must not something, must not that alone. */
const IMPLIED_BY: ReadonlyMap<number, readonly number[]> = new Map([
  [DESCRIBE, [READ, WRITE, DELETE, ALTER]],
  [DESCRIBE_CONFIGS, [ALTER_CONFIGS]],
]);

export interface AuthorizerOptions {
  acls: AclTable;
  /** super.users: these may all. */
  superUsers: ReadonlySet<string>;
  /** allow.everyone.if.no.acl.found: what no rule speaks of, all may. */
  allowIfNoAclFound: boolean;
}

/**
 * Kafka's StandardAuthorizer: super users may all; then a rule that denies beats any that allows, whatever their
 * patterns; then a rule has to allow.
 */
export class Authorizer {
  readonly #options: AuthorizerOptions;

  constructor(options: AuthorizerOptions) {
    this.#options = options;
  }

  allows(who: Requester, { operation, resourceType, resourceName }: Action): boolean {
    const { acls, superUsers, allowIfNoAclFound } = this.#options;
    if (superUsers.has(who.principal)) return true;
    let isSpokenOf = false;
    let isAllowed = false;
    for (const acl of acls.about(resourceType, resourceName)) {
      isSpokenOf = true;
      if (!isAbout(acl, who)) continue;
      if (acl.permissionType === AclPermission.ALLOW) isAllowed ||= grants(acl.operation, operation);
      else if (covers(acl.operation, operation)) return false;
    }
    return isAllowed || (!isSpokenOf && allowIfNoAclFound);
  }

  /** Whether there may be a name that it is allowed for (KIP-679): nothing that allows is denied as a whole. */
  allowsAny(who: Requester, { operation, resourceType }: Omit<Action, 'resourceName'>): boolean {
    const { acls, superUsers, allowIfNoAclFound } = this.#options;
    if (superUsers.has(who.principal)) return true;
    const ours = [...acls.ofType(resourceType)].filter(
      (acl) => isAbout(acl, who) && covers(acl.operation, operation),
    );
    const denied = ours.filter(({ permissionType }) => permissionType === AclPermission.DENY);
    if (denied.some(isForAll)) return false;
    if (allowIfNoAclFound) return true;
    return ours.some(
      (acl) => acl.permissionType === AclPermission.ALLOW && !denied.some((other) => contains(other, acl)),
    );
  }
}

function isAbout({ principal, host }: Acl, who: Requester): boolean {
  return (principal === who.principal || principal === ANYBODY) && (host === WILDCARD || host === who.host);
}

function covers(said: number, operation: number): boolean {
  return said === operation || said === ALL;
}

function grants(said: number, operation: number): boolean {
  return covers(said, operation) || (IMPLIED_BY.get(operation)?.includes(said) ?? false);
}

function isForAll({ patternType, resourceName }: Acl): boolean {
  return patternType === AclPattern.LITERAL && resourceName === WILDCARD;
}

/** Whether all names of `inner` are names of `outer`; neither is `*`, unless it is `inner`. */
function contains(outer: Acl, inner: Acl): boolean {
  if (isForAll(inner)) return false;
  if (outer.patternType === AclPattern.PREFIXED) return inner.resourceName.startsWith(outer.resourceName);
  return inner.patternType === AclPattern.LITERAL && inner.resourceName === outer.resourceName;
}
