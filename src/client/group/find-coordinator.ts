import { ErrorCode } from '../../model/errors.ts';
import { findCoordinatorApi } from '../../wire/apis/10-find-coordinator.ts';
import type { Cluster } from '../cluster.ts';
import { BrokerError } from '../errors.ts';

const FIND_VERSIONS = { min: 0, max: 4 };
/** From here on many keys fit a request (KIP-699). */
const MANY_KEYS_VERSION = 4;
const GROUP_KEY_TYPE = 0;

/** The number of the broker that coordinates a group. @throws BrokerError, ConnectionLost */
export async function findCoordinator(cluster: Cluster, groupId: string): Promise<number> {
  const found = (await findCoordinators(cluster, [groupId])).get(groupId);
  if (typeof found === 'number') return found;
  throw found ?? new BrokerError(ErrorCode.COORDINATOR_NOT_AVAILABLE, titleOf(groupId));
}

/** The same of many groups, or why it is not known. @throws BrokerError, ConnectionLost */
export async function findCoordinators(
  cluster: Cluster,
  groupIds: readonly string[],
): Promise<Map<string, number | BrokerError>> {
  const broker = await cluster.anyBroker();
  const isManyAtOnce = broker.versionOf(findCoordinatorApi, FIND_VERSIONS) >= MANY_KEYS_VERSION;
  const questions = isManyAtOnce ? [groupIds] : groupIds.map((groupId) => [groupId]);
  const found = await Promise.all(
    questions.map(async (keys) => {
      const request = { key: keys[0] ?? '', keyType: GROUP_KEY_TYPE, coordinatorKeys: keys };
      const answer = await broker.request(findCoordinatorApi, FIND_VERSIONS, request, {
        timeoutMs: cluster.answerTimeoutMs,
      });
      return isManyAtOnce ? answer.coordinators : [{ ...answer, key: request.key }];
    }),
  );
  const nodeIds = new Map<string, number | BrokerError>();
  for (const { key, errorCode, errorMessage, nodeId, host, port } of found.flat()) {
    const isKnown = errorCode === ErrorCode.NONE;
    if (isKnown) cluster.meet([{ nodeId, host, port }]);
    nodeIds.set(key, isKnown ? nodeId : new BrokerError(errorCode, titleOf(key), errorMessage));
  }
  return nodeIds;
}

/** For people. */
function titleOf(groupId: string): string {
  return `group ${groupId}`;
}
