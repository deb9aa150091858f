import { ErrorCode } from '../../model/errors.ts';
import { findCoordinatorApi } from '../../wire/apis/10-find-coordinator.ts';
import type { Cluster } from '../cluster.ts';
import { BrokerError } from '../errors.ts';

const FIND_VERSIONS = { min: 0, max: 4 };
/** From here on many keys fit a request (KIP-699). */
const MANY_KEYS_VERSION = 4;
/** What is coordinated. */
export const KeyType = { group: 0, transaction: 1 } as const;
type KeyType = (typeof KeyType)[keyof typeof KeyType];

/** The number of the broker that coordinates a group, or transactions. @throws BrokerError, ConnectionLost */
export async function findCoordinator(
  cluster: Cluster,
  key: string,
  keyType: KeyType = KeyType.group,
): Promise<number> {
  const found = (await findCoordinators(cluster, [key], keyType)).get(key);
  if (typeof found === 'number') return found;
  throw found ?? new BrokerError(ErrorCode.COORDINATOR_NOT_AVAILABLE, titleOf(key, keyType));
}

/** The same of many, or why it is not known. @throws BrokerError, ConnectionLost */
export async function findCoordinators(
  cluster: Cluster,
  keysAsked: readonly string[],
  keyType: KeyType = KeyType.group,
): Promise<Map<string, number | BrokerError>> {
  const broker = await cluster.anyBroker();
  const isManyAtOnce = broker.versionOf(findCoordinatorApi, FIND_VERSIONS) >= MANY_KEYS_VERSION;
  const questions = isManyAtOnce ? [keysAsked] : keysAsked.map((key) => [key]);
  const found = await Promise.all(
    questions.map(async (keys) => {
      const request = { key: keys[0] ?? '', keyType, coordinatorKeys: keys };
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
    nodeIds.set(key, isKnown ? nodeId : new BrokerError(errorCode, titleOf(key, keyType), errorMessage));
  }
  return nodeIds;
}

/** For people. */
function titleOf(key: string, keyType: KeyType): string {
  return keyType === KeyType.group ? `group ${key}` : `transactional id ${key}`;
}
