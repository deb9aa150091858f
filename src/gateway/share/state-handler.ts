import { ErrorCode } from '../../model/errors.ts';
import { SHARE_GROUP_STATE_TOPIC, type Uuid } from '../../model/ids.ts';
import { shareCoordinator, type ShardId } from '../../ports/shard-link.ts';
import { sharePartitionKeyOf } from '../../share/index.ts';
import type { Api, RequestOf } from '../../wire/schema.ts';
import type { Call } from '../call.ts';
import { Gather } from '../gather.ts';
import { coordinatorError, hasFeature } from '../groups.ts';
import { type Handler, handler } from '../handler.ts';

/** Who keeps the state of a share partition; undefined before `__share_group_state` exists. */
export function shareCoordinatorOf(
  call: Call,
  id: { groupId: string; topicId: Uuid; partition: number },
): ShardId | undefined {
  const partitions = call.gateway.image.topic(SHARE_GROUP_STATE_TOPIC)?.partitions.length;
  return shareCoordinator(sharePartitionKeyOf(id), partitions);
}

interface StateRequest {
  groupId: string;
  topics: readonly { topicId: Uuid; partitions: readonly { partition: number }[] }[];
}

interface StateResult {
  partition: number;
  errorCode: number;
  errorMessage: string | null;
}

interface StateResponse {
  results: { topicId: Uuid; partitions: StateResult[] }[];
}

/** What is asked of share coordinators goes to each partition's own; brokers ask it of each other. */
export function shareStateHandler<A extends Api>(
  api: A,
  { max, unanswered }: { max: number; unanswered: object },
): Handler {
  return handler<A>({
    api,
    min: 0,
    max,
    handle: (call, request: RequestOf<A>) =>
      askShareStates(call, { api, unanswered }, request as StateRequest, (results) =>
        call.reply({ results }),
      ),
  });
}

/**
 * Asks share coordinators on a request's account. `done` gets their answers, as they were asked for.
 * @param unanswered what stands where none has answered, beside the error.
 */
export function askShareStates<R extends StateResult>(
  call: Call,
  { api, unanswered }: { api: Api; unanswered: object },
  { groupId, topics }: StateRequest,
  done: (results: { topicId: Uuid; partitions: R[] }[]) => void,
): void {
  const isServed = hasFeature(call, 'share.version');
  const errorCode = isServed ? ErrorCode.COORDINATOR_NOT_AVAILABLE : ErrorCode.UNSUPPORTED_VERSION;
  const results = topics.map(({ topicId, partitions }) => ({
    topicId,
    partitions: partitions.map(
      ({ partition }) => ({ ...unanswered, partition, errorCode, errorMessage: null }) as unknown as R,
    ),
  }));
  const gather = new Gather(() => done(results));
  for (const [at, { topicId, partitions }] of topics.entries())
    for (const [index, part] of partitions.entries()) {
      const { partition } = part;
      const shard = isServed ? shareCoordinatorOf(call, { groupId, topicId, partition }) : undefined;
      if (shard === undefined) continue;
      gather.enter();
      const body = { groupId, topics: [{ topicId, partitions: [part] }] };
      call.askAs(api.key, api.versions.max, shard, body, (reply) => {
        const result = results[at]?.partitions[index] as R;
        const answered = (reply.body as StateResponse | undefined)?.results[0]?.partitions[0];
        if (answered !== undefined) Object.assign(result, answered);
        else result.errorCode = coordinatorError(reply.errorCode ?? ErrorCode.NOT_COORDINATOR);
        gather.leave();
      });
    }
  gather.seal();
}
