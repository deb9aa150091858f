import { TRANSACTION_STATE_TOPIC, coordinatorPartition } from '../model/ids.ts';
import { ErrorCode } from '../model/errors.ts';
import { type ShardId, txnShard } from '../ports/shard-link.ts';
import type { Call } from './call.ts';
import { coordinatorError } from './groups.ts';

/** The shard that coordinates a transactional id; undefined before `__transaction_state` exists. */
export function transactionCoordinatorOf(call: Call, transactionalId: string): ShardId | undefined {
  const partitions = call.gateway.image.topic(TRANSACTION_STATE_TOPIC)?.partitions.length ?? 0;
  return partitions === 0 ? undefined : txnShard(coordinatorPartition(transactionalId, partitions));
}

/** A request about one transactional id, as one API or another, goes whole to its coordinator. */
interface Question<Body> {
  apiKey: number;
  apiVersion: number;
  body: unknown;
  onAnswer: (answer: Body) => void;
  /** The coordinator says nothing: why. */
  onError: (errorCode: number) => void;
}

export function askCoordinator<Body>(call: Call, transactionalId: string, question: Question<Body>): void {
  const { apiKey, apiVersion, body, onAnswer, onError } = question;
  if (transactionalId === '') return onError(ErrorCode.INVALID_REQUEST);
  const shard = transactionCoordinatorOf(call, transactionalId);
  if (shard === undefined) return onError(ErrorCode.NOT_COORDINATOR);
  call.askAs(apiKey, apiVersion, shard, body, (reply) => {
    if (reply.errorCode === undefined) onAnswer(reply.body as Body);
    else onError(coordinatorError(reply.errorCode));
  });
}
