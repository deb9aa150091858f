import { ErrorCode } from '../../src/model/errors.ts';
import { shareGroupHeartbeatApi } from '../../src/wire/apis/76-share-group-heartbeat.ts';
import { shareGroupDescribeApi } from '../../src/wire/apis/77-share-group-describe.ts';
import { shareFetchApi } from '../../src/wire/apis/78-share-fetch.ts';
import { shareAcknowledgeApi } from '../../src/wire/apis/79-share-acknowledge.ts';
import { initializeShareGroupStateApi } from '../../src/wire/apis/83-initialize-share-group-state.ts';
import { readShareGroupStateApi } from '../../src/wire/apis/84-read-share-group-state.ts';
import { writeShareGroupStateApi } from '../../src/wire/apis/85-write-share-group-state.ts';
import { deleteShareGroupStateApi } from '../../src/wire/apis/86-delete-share-group-state.ts';
import { readShareGroupStateSummaryApi } from '../../src/wire/apis/87-read-share-group-state-summary.ts';
import { describeShareGroupOffsetsApi } from '../../src/wire/apis/90-describe-share-group-offsets.ts';
import { alterShareGroupOffsetsApi } from '../../src/wire/apis/91-alter-share-group-offsets.ts';
import { deleteShareGroupOffsetsApi } from '../../src/wire/apis/92-delete-share-group-offsets.ts';
import { type Case, type Given, of } from './advertised-case.ts';

function states<P extends object>({ topic, unique }: Given, part: P) {
  return { groupId: unique, topics: [{ topicId: topic.id, partitions: [{ partition: 0, ...part }] }] };
}

const codeOf = ({ results }: { results: readonly { partitions: readonly { errorCode: number }[] }[] }) =>
  results[0]?.partitions[0]?.errorCode;

const NOT_FOUND = ErrorCode.GROUP_ID_NOT_FOUND;

/** Of groups that nobody knows, but for the one that is made. */
export const SHARE_CASES: readonly Case[] = [
  of(
    shareGroupHeartbeatApi,
    ({ topic, unique }) => ({
      groupId: unique,
      memberId: 'one',
      memberEpoch: 0,
      subscribedTopicNames: [topic.name],
    }),
    ({ errorCode, memberEpoch, assignment }) => [errorCode, memberEpoch, assignment?.topicPartitions],
    ({ topic }: Given) => [ErrorCode.NONE, 1, [{ topicId: topic.id, partitions: [0] }]],
  ),
  of(
    shareGroupDescribeApi,
    ({ unique }) => ({ groupIds: [unique], includeAuthorizedOperations: false }),
    ({ groups }) => groups[0]?.errorCode,
    NOT_FOUND,
  ),
  of(
    shareFetchApi,
    ({ topic, unique }) => ({
      groupId: unique,
      memberId: 'one',
      shareSessionEpoch: 0,
      maxWaitMs: 0,
      minBytes: 1,
      maxRecords: 1,
      batchSize: 1,
      topics: [{ topicId: topic.id, partitions: [{ partitionIndex: 0, acknowledgementBatches: [] }] }],
      forgottenTopicsData: [],
    }),
    ({ errorCode, responses }) => [errorCode, responses.length],
    [ErrorCode.NONE, 0],
  ),
  of(
    shareAcknowledgeApi,
    ({ unique }) => ({ groupId: unique, memberId: 'one', shareSessionEpoch: 1, topics: [] }),
    ({ errorCode }) => errorCode,
    ErrorCode.SHARE_SESSION_NOT_FOUND,
  ),
  of(initializeShareGroupStateApi, (given) => states(given, { stateEpoch: 1, startOffset: 0 }), codeOf),
  of(readShareGroupStateApi, (given) => states(given, { leaderEpoch: 0 }), codeOf, ErrorCode.INVALID_REQUEST),
  of(
    writeShareGroupStateApi,
    (given) => states(given, { stateEpoch: 0, leaderEpoch: 0, startOffset: 0, stateBatches: [] }),
    codeOf,
    ErrorCode.INVALID_REQUEST,
  ),
  of(deleteShareGroupStateApi, (given) => states(given, {}), codeOf),
  of(readShareGroupStateSummaryApi, (given) => states(given, { leaderEpoch: 0 }), codeOf),
  of(
    describeShareGroupOffsetsApi,
    ({ unique }) => ({ groups: [{ groupId: unique, topics: null }] }),
    ({ groups }) => groups[0]?.errorCode,
    NOT_FOUND,
  ),
  of(
    alterShareGroupOffsetsApi,
    ({ topic, unique }) => ({
      groupId: unique,
      topics: [{ topicName: topic.name, partitions: [{ partitionIndex: 0, startOffset: 0 }] }],
    }),
    ({ errorCode }) => errorCode,
    NOT_FOUND,
  ),
  of(
    deleteShareGroupOffsetsApi,
    ({ topic, unique }) => ({ groupId: unique, topics: [{ topicName: topic.name }] }),
    ({ errorCode }) => errorCode,
    NOT_FOUND,
  ),
];
