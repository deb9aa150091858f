import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Acl, AclOperation as Op, aclKey, AclPermission, AclResource } from '../../src/security/acl.ts';
import { AclTable } from '../../src/security/acl-table.ts';
import { Authorizer } from '../../src/security/authorizer.ts';
import { aclArbitrary, mayBy, questionArbitrary } from './acl-world.ts';

function authorizerOn(acls: readonly Acl[], { superUsers = [] as string[], allowIfNoAclFound = false } = {}) {
  const table = new AclTable();
  for (const [at, acl] of acls.entries()) table.add(String(at), acl);
  return {
    table,
    authorizer: new Authorizer({ acls: table, superUsers: new Set(superUsers), allowIfNoAclFound }),
  };
}

const rules = fc.array(aclArbitrary, { maxLength: 8 });

describe('what the authoriser says is what the rules say', () => {
  test('of any rules and any question', () => {
    fc.assert(
      fc.property(rules, questionArbitrary, fc.boolean(), (acls, question, allowIfNoAclFound) => {
        const { authorizer } = authorizerOn(acls, { allowIfNoAclFound });
        expect(authorizer.allows(question, question)).toBe(mayBy(acls, question, allowIfNoAclFound));
      }),
      { numRuns: 3_000 },
    );
  });

  test('also once some of them are gone', () => {
    fc.assert(
      fc.property(rules, fc.array(fc.nat(7)), questionArbitrary, (acls, removed, question) => {
        const { table, authorizer } = authorizerOn(acls);
        for (const at of removed) table.remove(String(at));
        const left = acls.filter((_, at) => !removed.includes(at));
        expect(authorizer.allows(question, question)).toBe(mayBy(left, question, false));
        expect(table.size).toBe(left.length);
      }),
      { numRuns: 1_000 },
    );
  });

  test('a super user may all, whatever is denied', () => {
    fc.assert(
      fc.property(rules, questionArbitrary, (acls, question) => {
        const { authorizer } = authorizerOn(acls, { superUsers: [question.principal] });
        expect(authorizer.allows(question, question)).toBe(true);
        expect(authorizer.allowsAny(question, question)).toBe(true);
      }),
    );
  });

  test('a denial more never allows more, a permission more never less', () => {
    fc.assert(
      fc.property(rules, aclArbitrary, questionArbitrary, (acls, more, question) => {
        const before = authorizerOn(acls).authorizer.allows(question, question);
        const after = authorizerOn([...acls, more]).authorizer.allows(question, question);
        expect(more.permissionType === AclPermission.DENY ? !after || before : after || !before).toBe(true);
      }),
    );
  });

  test('whoever may write some topic may write one that a name can be found for', () => {
    const names = ['a', 'ab', 'abc', 'b', 'ba', 'abq', 'aq', 'bq', 'baq', 'abcq', 'q'];
    fc.assert(
      fc.property(rules, questionArbitrary, (acls, { principal, host }) => {
        const { authorizer } = authorizerOn(acls);
        const action = { operation: Op.WRITE, resourceType: AclResource.TOPIC };
        const some = names.some((resourceName) =>
          authorizer.allows({ principal, host }, { ...action, resourceName }),
        );
        expect(authorizer.allowsAny({ principal, host }, action)).toBe(some);
      }),
      { numRuns: 2_000 },
    );
  });
});

test('a rule is found by what it says, and by nothing less', () => {
  fc.assert(
    fc.property(aclArbitrary, aclArbitrary, (one, other) => {
      const { table } = authorizerOn([one]);
      expect(table.idOf({ ...one })).toBe('0');
      expect(table.idOf(other)).toBe(aclKey(one) === aclKey(other) ? '0' : undefined);
    }),
  );
});
