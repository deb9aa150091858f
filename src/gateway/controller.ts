import { ErrorCode } from '../model/errors.ts';
import type { ShardReply } from '../ports/shard-link.ts';

/** What a client may retry when the controller's shard cannot serve; undefined when it has answered. */
export function controllerError(reply: ShardReply): number | undefined {
  return reply.errorCode === undefined ? undefined : ErrorCode.NOT_CONTROLLER;
}
