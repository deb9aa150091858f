import type { Call } from './call.ts';
import { Gather } from './gather.ts';
import { type TopicReference, resolvePartition } from './topics.ts';

/** What an API that asks partition by partition has of its own. */
interface PartitionApi<T, P, R> {
  /** Where a partition is; who only reads leaves it out. */
  resolve?: typeof resolvePartition;
  indexOf: (partition: P) => number;
  /** The answer before the shard has given one. */
  unanswered: (partition: P) => R;
  /** The request of that one partition. */
  part: (topic: T, partition: P) => unknown;
  /** The partition's answer in the shard's. */
  answerIn: (body: unknown) => Partial<R> | undefined;
}

/**
 * Asks the shard of every partition for its part, all at once. `done` gets the answers, by topic and partition as they
 * were asked for; a partition that does not exist, or whose shard cannot serve, has the code that says so.
 */
export function askPartitions<
  T extends TopicReference & { partitions: readonly P[] },
  P,
  R extends { errorCode: number },
>(
  call: Call,
  topics: readonly T[],
  api: PartitionApi<T, P, R>,
  done: (answers: { topic: T; partitions: R[] }[]) => void,
): void {
  const answers = topics.map((topic) => ({ topic, partitions: topic.partitions.map(api.unanswered) }));
  const gather = new Gather(() => done(answers));
  for (const { topic, partitions } of answers) {
    topic.partitions.forEach((partition, at) => {
      const response = partitions[at] as R;
      const place = (api.resolve ?? resolvePartition)(call.gateway.image, topic, api.indexOf(partition));
      if ('errorCode' in place) {
        response.errorCode = place.errorCode;
        return;
      }
      gather.enter();
      call.ask(place.shard, api.part(topic, partition), (reply) => {
        if (reply.errorCode !== undefined) response.errorCode = reply.errorCode;
        else Object.assign(response, api.answerIn(reply.body));
        gather.leave();
      });
    });
  }
  gather.seal();
}
