import fc from 'fast-check';
import {
  type Acl,
  AclOperation as Op,
  AclPattern,
  AclPermission,
  AclResource,
} from '../../src/security/acl.ts';

/** Few names and people, so that rules meet. */
export const NAMES = ['a', 'ab', 'abc', 'b', 'ba'];
export const PRINCIPALS = ['User:alice', 'User:bob'];
export const HOSTS = ['127.0.0.1', '10.0.0.1'];
export const OPERATIONS = [
  Op.READ,
  Op.WRITE,
  Op.CREATE,
  Op.DELETE,
  Op.ALTER,
  Op.DESCRIBE,
  Op.DESCRIBE_CONFIGS,
  Op.ALTER_CONFIGS,
];
export const TYPES = [AclResource.TOPIC, AclResource.GROUP];

export const aclArbitrary: fc.Arbitrary<Acl> = fc
  .record({
    resourceType: fc.constantFrom(...TYPES),
    patternType: fc.constantFrom(AclPattern.LITERAL, AclPattern.PREFIXED),
    resourceName: fc.constantFrom(...NAMES, '*'),
    principal: fc.constantFrom(...PRINCIPALS, 'User:*'),
    host: fc.constantFrom(...HOSTS, '*'),
    operation: fc.constantFrom(...OPERATIONS, Op.ALL),
    permissionType: fc.constantFrom(AclPermission.ALLOW, AclPermission.DENY),
  })
  .filter(({ patternType, resourceName }) => patternType === AclPattern.LITERAL || resourceName !== '*');

export interface Question {
  principal: string;
  host: string;
  operation: number;
  resourceType: number;
  resourceName: string;
}

export const questionArbitrary: fc.Arbitrary<Question> = fc.record({
  principal: fc.constantFrom(...PRINCIPALS),
  host: fc.constantFrom(...HOSTS),
  operation: fc.constantFrom(...OPERATIONS),
  resourceType: fc.constantFrom(...TYPES),
  resourceName: fc.constantFrom(...NAMES, 'c', 'abcd'),
});

/** KIP-11, 290 and 679, sentence by sentence, over a plain list. */
export function mayBy(acls: readonly Acl[], question: Question, allowIfNone: boolean): boolean {
  const { principal, host, operation, resourceType, resourceName } = question;
  const about = acls.filter(
    (acl) =>
      acl.resourceType === resourceType &&
      (acl.patternType === AclPattern.PREFIXED
        ? resourceName.startsWith(acl.resourceName)
        : acl.resourceName === '*' || acl.resourceName === resourceName),
  );
  if (about.length === 0) return allowIfNone;
  const mine = about.filter(
    (acl) => ['User:*', principal].includes(acl.principal) && ['*', host].includes(acl.host),
  );
  const implying = [operation, Op.ALL];
  const isDenied = mine.some(
    (acl) => acl.permissionType === AclPermission.DENY && implying.includes(acl.operation as never),
  );
  if (isDenied) return false;
  const enough: number[] = [...implying];
  if (operation === Op.DESCRIBE) enough.push(Op.READ, Op.WRITE, Op.DELETE, Op.ALTER);
  if (operation === Op.DESCRIBE_CONFIGS) enough.push(Op.ALTER_CONFIGS);
  return mine.some((acl) => acl.permissionType === AclPermission.ALLOW && enough.includes(acl.operation));
}
