import { ErrorCode } from '../model/errors.ts';
import type { ShardReply, ShardRequest } from '../ports/shard-link.ts';
import type { FetchRequest, FetchResponse } from '../wire/apis/01-fetch.ts';
import type { FetchedPartition } from '../wire/fetched.ts';
import { READ_COMMITTED } from './lookups.ts';

/** A shard is asked for one partition: what a Fetch is where it goes to a shard, and its answer. */

export type FetchPartition = FetchRequest['topics'][number]['partitions'][number];

export function wantedIn({ body }: ShardRequest): FetchPartition | undefined {
  return (body as FetchRequest).topics[0]?.partitions[0];
}

export function wantsCommitted({ body }: ShardRequest): boolean {
  return (body as FetchRequest).isolationLevel === READ_COMMITTED;
}

/** Undefined where there is nothing but an error. */
export function fetchedIn({ body }: ShardReply): FetchedPartition | undefined {
  return (body as FetchResponse | undefined)?.responses[0]?.partitions[0];
}

export function fetchReply({ from, body }: ShardRequest, partition: FetchedPartition): ShardReply {
  const topic = (body as FetchRequest).topics[0];
  const response: FetchResponse = {
    throttleTimeMs: 0,
    errorCode: ErrorCode.NONE,
    sessionId: 0,
    responses: [{ topic: topic?.topic ?? '', topicId: topic?.topicId ?? '', partitions: [partition] }],
    nodeEndpoints: [],
  };
  return { to: from, body: response };
}
