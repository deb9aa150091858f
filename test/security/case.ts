import { AclResource } from '../../src/security/acl.ts';
import type { Rule } from './secured.ts';

/** Every rule there is. */
export const ANY_ACL = {
  resourceTypeFilter: 1,
  resourceNameFilter: null,
  patternTypeFilter: 1,
  principalFilter: null,
  hostFilter: null,
  operation: 1,
  permissionType: 1,
};
export const ALICE = 'User:alice';

export const rule = (
  resourceType: number,
  resourceName: string,
  operation: number,
  more: Partial<Rule> = {},
): Rule => ({
  principal: ALICE,
  resourceType,
  resourceName,
  operation,
  ...more,
});
export const onTopic = (operation: number, name = 'secret') => rule(AclResource.TOPIC, name, operation);
export const onGroup = (operation: number) => rule(AclResource.GROUP, 'team', operation);
export const onCluster = (operation: number) => rule(AclResource.CLUSTER, 'kafka-cluster', operation);

export interface Case {
  api: string;
  /** The code that tells what alice may. */
  ask: (name: string) => Promise<number | undefined>;
  denied: number;
  needs: Rule;
  /** The topic or group need not be there to be refused. */
  hides?: boolean;
}
