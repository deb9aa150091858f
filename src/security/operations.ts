import { AclOperation as Op, AclResource } from './acl.ts';

/** What can be done with a resource, which is what answers with authorized operations speak of (KIP-430). */
const SUPPORTED: ReadonlyMap<number, readonly number[]> = new Map([
  [
    AclResource.TOPIC,
    [Op.READ, Op.WRITE, Op.CREATE, Op.DELETE, Op.ALTER, Op.DESCRIBE, Op.DESCRIBE_CONFIGS, Op.ALTER_CONFIGS],
  ],
  [AclResource.GROUP, [Op.READ, Op.DELETE, Op.DESCRIBE, Op.DESCRIBE_CONFIGS, Op.ALTER_CONFIGS]],
  [
    AclResource.CLUSTER,
    [
      Op.CREATE,
      Op.ALTER,
      Op.DESCRIBE,
      Op.CLUSTER_ACTION,
      Op.DESCRIBE_CONFIGS,
      Op.ALTER_CONFIGS,
      Op.IDEMPOTENT_WRITE,
    ],
  ],
]);

/** In answers to those who did not ask. */
export const OPERATIONS_NOT_ASKED = -0x8000_0000;

/** The operations that may be done, a bit each. @param may left out, all may. */
export function operationBits(
  resourceType: number,
  may: (operation: number) => boolean = () => true,
): number {
  return (SUPPORTED.get(resourceType) ?? [])
    .filter(may)
    .reduce((bits, operation) => bits | (1 << operation), 0);
}
