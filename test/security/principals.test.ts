import { expect, test } from 'vitest';
import { PrincipalMapping, principalsIn } from '../../src/security/principals.ts';

const DN = 'CN=Duke,OU=ServiceUsers,O=Org,C=US';

/** Examples of KIP-371. */
test.each([
  ['DEFAULT', DN, `User:${DN}`],
  ['RULE:^CN=(.*?),OU=ServiceUsers.*$/$1/,DEFAULT', DN, 'User:Duke'],
  ['RULE:^CN=(.*?),OU=ServiceUsers.*$/$1/L,DEFAULT', DN, 'User:duke'],
  ['RULE:^CN=(.*?), ?OU=(.*?),.*$/$1@$2/U', DN, 'User:DUKE@SERVICEUSERS'],
  ['RULE:^CN=(.*?),OU=Admins.*$/$1/,RULE:^.*O=(.*?),.*$/$1/', DN, 'User:Org'],
  ['RULE:^CN=(.*?),OU=Admins.*$/$1/', DN, undefined],
  ['RULE:CN=Duke/x/', DN, undefined],
])('%s makes of a name %s', (rules, name, principal) => {
  expect(new PrincipalMapping(rules).principalOf(name)).toBe(principal);
});

test.each(['RULE:', 'RULE:a/b', 'RULE:(/b/', 'Default', 'RULE:a/b/X'])('%s is no rule', (rules) => {
  expect(() => new PrincipalMapping(rules)).toThrow(/is no (?:rule|pattern)/);
});

test('super users are principals', () => {
  expect([...principalsIn('User:a; User:CN=b,O=c ;')]).toEqual(['User:a', 'User:CN=b,O=c']);
  expect(() => principalsIn('a')).toThrow('"a" is no principal');
});
