import { ErrorCode } from '../../model/errors.ts';
import { CONSUMER_OFFSETS_TOPIC } from '../../model/ids.ts';
import { METADATA_SHARD } from '../../ports/shard-link.ts';
import { findCoordinatorApi } from '../../wire/apis/10-find-coordinator.ts';
import { createTopicsApi } from '../../wire/apis/19-create-topics.ts';
import type { Call } from '../call.ts';
import { handler } from '../handler.ts';
import { brokerOf } from './03-metadata.ts';

export const KEY_TYPE = { GROUP: 0, TRANSACTION: 1 } as const;

/**
 * Who coordinates a group: this broker, once `__consumer_offsets` is there. Left out: transactional ids and share
 * groups, refused so that a client fails at once and does not retry for ever.
 */
export const findCoordinator = handler({
  api: findCoordinatorApi,
  min: 0,
  max: 6,
  handle(call, { key, keyType, coordinatorKeys }) {
    const keys = call.version >= 4 ? coordinatorKeys : [key];
    if (keyType !== KEY_TYPE.GROUP) {
      const message =
        'Milena coordinates consumer groups only: transactions and share groups are not served yet';
      return answer(call, keys, { errorCode: ErrorCode.INVALID_REQUEST, errorMessage: message });
    }
    if (call.gateway.image.topic(CONSUMER_OFFSETS_TOPIC) !== undefined) return answer(call, keys);
    const topic = {
      name: CONSUMER_OFFSETS_TOPIC,
      numPartitions: -1,
      replicationFactor: -1,
      assignments: [],
      configs: [],
    };
    const creation = { topics: [topic], timeoutMs: 30_000, validateOnly: false };
    call.askAs(createTopicsApi.key, createTopicsApi.versions.max, METADATA_SHARD, creation, () => {
      if (call.gateway.image.topic(CONSUMER_OFFSETS_TOPIC) !== undefined) return answer(call, keys);
      const errorMessage = `${CONSUMER_OFFSETS_TOPIC} could not be created`;
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
