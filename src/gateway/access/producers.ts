import { ErrorCode } from '../../model/errors.ts';
import { AclOperation as Op } from '../../security/acl.ts';
import { writeTxnMarkersApi } from '../../wire/apis/27-write-txn-markers.ts';
import {
  type DescribeProducersResponse,
  describeProducersApi,
} from '../../wire/apis/61-describe-producers.ts';
import { type Guard, guard, parted, wholly } from './guard.ts';

/** Brokers ask for it, and people who abort what hangs. */
const writeTxnMarkers = wholly(
  writeTxnMarkersApi,
  ({ access }) =>
    access.cluster(Op.ALTER) || access.cluster(Op.CLUSTER_ACTION)
      ? undefined
      : ErrorCode.CLUSTER_AUTHORIZATION_FAILED,
  (errorCode, { markers }) => ({
    markers: markers.map(({ producerId, topics }) => ({
      producerId,
      topics: topics.map(({ name, partitionIndexes }) => ({
        name,
        partitions: partitionIndexes.map((partitionIndex) => ({ partitionIndex, errorCode })),
      })),
    })),
  }),
);

const describeProducers = guard(describeProducersApi, ({ call, request, access }) => {
  // Whoever may read some keys alone learns nothing of who else writes.
  const mayRead = (topic: string) =>
    access.topic(Op.READ, topic) && access.keyPrefixes(Op.READ, { topic }) === undefined;
  const { allowed, refused } = parted(request.topics, ({ name }) => mayRead(name));
  if (refused.length === 0) return request;
  const errorCode = ErrorCode.TOPIC_AUTHORIZATION_FAILED;
  const refusals = refused.map(({ name, partitionIndexes }) => ({
    name,
    partitions: partitionIndexes.map((partitionIndex) => ({
      partitionIndex,
      errorCode,
      errorMessage: null,
      activeProducers: [],
    })),
  }));
  call.amend((body: DescribeProducersResponse) => ({ ...body, topics: [...body.topics, ...refusals] }));
  return { ...request, topics: allowed };
});

export const PRODUCER_GUARDS: readonly Guard[] = [writeTxnMarkers, describeProducers];
