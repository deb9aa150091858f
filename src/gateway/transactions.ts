import { TRANSACTION_STATE_TOPIC } from '../model/ids.ts';
import { ErrorCode } from '../model/errors.ts';
import { txnCoordinator } from '../ports/shard-link.ts';
import type { Call } from './call.ts';
import { coordinatorError } from './groups.ts';

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
  const partitions = call.gateway.image.topic(TRANSACTION_STATE_TOPIC)?.partitions.length;
  const shard = txnCoordinator(transactionalId, partitions);
  if (shard === undefined) return onError(ErrorCode.NOT_COORDINATOR);
  call.askAs(apiKey, apiVersion, shard, body, (reply) => {
    if (reply.errorCode === undefined) onAnswer(reply.body as Body);
    else onError(coordinatorError(reply.errorCode));
  });
}
