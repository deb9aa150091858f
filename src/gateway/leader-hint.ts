import { ErrorCode } from '../model/errors.ts';
import type { Call } from './call.ts';
import { brokerOf } from './handlers/03-metadata.ts';
import { type TopicReference, resolveTopic } from './topics.ts';

/** Who leads, as far as the answer says so. */
export interface LeaderHint {
  leaderId: number;
  leaderEpoch: number;
}

const NO_HINT: LeaderHint = { leaderId: -1, leaderEpoch: -1 };

/** With these a client looks for another leader. */
const SAYS_WHO_LEADS: ReadonlySet<number> = new Set([
  ErrorCode.NOT_LEADER_OR_FOLLOWER,
  ErrorCode.FENCED_LEADER_EPOCH,
]);

/** KIP-951: spares a client that asked the wrong leader, or knows an old epoch, a round of Metadata. */
export function leaderHint(call: Call, topic: TopicReference, index: number, errorCode: number): LeaderHint {
  if (!SAYS_WHO_LEADS.has(errorCode)) return NO_HINT;
  const { image } = call.gateway;
  const found = resolveTopic(image, topic);
  const partition = 'id' in found ? image.partition(found.id, index) : undefined;
  if (partition === undefined) return NO_HINT;
  return { leaderId: partition.leader, leaderEpoch: partition.leaderEpoch };
}

/** Where the leaders that an answer names are found. */
export function leaderEndpoints(call: Call, partitions: readonly { currentLeader: LeaderHint }[]) {
  const { nodeId } = call.gateway.config;
  const isNamed = partitions.some(({ currentLeader }) => currentLeader.leaderId === nodeId);
  return isNamed ? [brokerOf(call)] : [];
}
