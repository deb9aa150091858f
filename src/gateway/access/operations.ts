import { AclOperation, AclResource, CLUSTER_NAME } from '../../security/acl.ts';
import { OPERATIONS_NOT_ASKED, operationBits } from '../../security/operations.ts';
import type { Call } from '../call.ts';

/** What a client that asks may do with a resource, a bit an operation (KIP-430). */
export function authorizedOperations(
  call: Call,
  isAsked: boolean,
  { type, name }: { type: number; name: string },
): number {
  if (!isAsked) return OPERATIONS_NOT_ASKED;
  return call.connection.access?.operations(type, name) ?? operationBits(type);
}

/** Of the cluster: none for those who may not describe it. */
export function clusterOperations(call: Call, isAsked: boolean): number {
  const { access } = call.connection;
  if (isAsked && access?.cluster(AclOperation.DESCRIBE) === false) return 0;
  return authorizedOperations(call, isAsked, { type: AclResource.CLUSTER, name: CLUSTER_NAME });
}
