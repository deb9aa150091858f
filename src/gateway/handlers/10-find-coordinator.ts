import { ErrorCode } from '../../model/errors.ts';
import { CONSUMER_OFFSETS_TOPIC, SHARE_GROUP_STATE_TOPIC, TRANSACTION_STATE_TOPIC } from '../../model/ids.ts';
import { findCoordinatorApi } from '../../wire/apis/10-find-coordinator.ts';
import type { Call } from '../call.ts';
import { withInternalTopic } from '../controller.ts';
import { handler } from '../handler.ts';
import { brokerOf } from './03-metadata.ts';

export const KEY_TYPE = { GROUP: 0, TRANSACTION: 1, SHARE: 2 } as const;
/** From this version on there are share partitions to ask for. */
const SHARE_VERSION = 6;

/** By type of key, where coordinators keep what they know. */
const COORDINATOR_TOPICS: readonly string[] = [
  CONSUMER_OFFSETS_TOPIC,
  TRANSACTION_STATE_TOPIC,
  SHARE_GROUP_STATE_TOPIC,
];
/** The key of a share partition: `<group>:<topic id>:<partition>`; a group may be named with colons. */
const SHARE_KEY = /^.+:[\w-]{22}:\d+$/s;

/**
 * Who coordinates a group, a transactional id or a share partition: this broker, once the topic for it is there.
 */
export const findCoordinator = handler({
  api: findCoordinatorApi,
  min: 0,
  max: 6,
  handle(call, { key, keyType, coordinatorKeys }) {
    const keys = call.version >= 4 ? coordinatorKeys : [key];
    const name = COORDINATOR_TOPICS[keyType];
    const isShare = keyType === KEY_TYPE.SHARE;
    const isValid = !isShare || (call.version >= SHARE_VERSION && keys.every((each) => SHARE_KEY.test(each)));
    if (name === undefined || !isValid)
      return answer(call, keys, { errorCode: ErrorCode.INVALID_REQUEST, errorMessage: whyNot(keyType) });
    withInternalTopic(call, name, () => {
      if (call.gateway.image.topic(name) !== undefined) return answer(call, keys);
      const errorMessage = `${name} could not be created`;
      answer(call, keys, { errorCode: ErrorCode.COORDINATOR_NOT_AVAILABLE, errorMessage });
    });
  },
});

function whyNot(keyType: number): string {
  if (keyType !== KEY_TYPE.SHARE) return `there is no coordinator of type ${keyType}`;
  return 'a share partition is asked for from version 6 on, as group:topic id:partition';
}

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
