import { ErrorCode } from '../../model/errors.ts';
import { CONSUMER_OFFSETS_TOPIC, TRANSACTION_STATE_TOPIC } from '../../model/ids.ts';
import { METADATA_SHARD } from '../../ports/shard-link.ts';
import { findCoordinatorApi } from '../../wire/apis/10-find-coordinator.ts';
import { createTopicsApi } from '../../wire/apis/19-create-topics.ts';
import type { Call } from '../call.ts';
import { handler } from '../handler.ts';
import { brokerOf } from './03-metadata.ts';

export const KEY_TYPE = { GROUP: 0, TRANSACTION: 1 } as const;

/** By type of key, where coordinators keep what they know. */
const COORDINATOR_TOPICS: readonly string[] = [CONSUMER_OFFSETS_TOPIC, TRANSACTION_STATE_TOPIC];

/**
 * Who coordinates a group or a transactional id: this broker, once the topic for it is there. Left out: share groups,
 * refused so that a client fails at once and does not retry for ever.
 */
export const findCoordinator = handler({
  api: findCoordinatorApi,
  min: 0,
  max: 6,
  handle(call, { key, keyType, coordinatorKeys }) {
    const keys = call.version >= 4 ? coordinatorKeys : [key];
    const name = COORDINATOR_TOPICS[keyType];
    if (name === undefined) {
      const errorMessage = 'Milena coordinates groups and transactions: share groups are not served yet';
      return answer(call, keys, { errorCode: ErrorCode.INVALID_REQUEST, errorMessage });
    }
    if (call.gateway.image.topic(name) !== undefined) return answer(call, keys);
    const topic = { name, numPartitions: -1, replicationFactor: -1, assignments: [], configs: [] };
    const creation = { topics: [topic], timeoutMs: 30_000, validateOnly: false };
    call.askAs(createTopicsApi.key, createTopicsApi.versions.max, METADATA_SHARD, creation, () => {
      if (call.gateway.image.topic(name) !== undefined) return answer(call, keys);
      const errorMessage = `${name} could not be created`;
      answer(call, keys, { errorCode: ErrorCode.COORDINATOR_NOT_AVAILABLE, errorMessage });
    });
  },
});

const OK = { errorCode: ErrorCode.NONE, errorMessage: null };

export function answer(
  call: Call,
  keys: readonly string[],
  { errorCode, errorMessage }: { errorCode: number; errorMessage: string | null } = OK,
): void {
  const found = errorCode === ErrorCode.NONE;
  const { nodeId, host, port } = found ? brokerOf(call) : { nodeId: -1, host: '', port: -1 };
  const place = { nodeId, host, port, errorCode, errorMessage };
  call.reply({ throttleTimeMs: 0, ...place, coordinators: keys.map((key) => ({ key, ...place })) });
}
