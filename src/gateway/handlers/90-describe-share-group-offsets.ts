import { ErrorCode } from '../../model/errors.ts';
import type { Uuid } from '../../model/ids.ts';
import { type ListOffsetsResponse, listOffsetsApi } from '../../wire/apis/02-list-offsets.ts';
import {
  type ReadShareGroupStateSummaryResponse,
  readShareGroupStateSummaryApi,
} from '../../wire/apis/87-read-share-group-state-summary.ts';
import {
  type DescribeShareGroupOffsetsResponse,
  describeShareGroupOffsetsApi,
} from '../../wire/apis/90-describe-share-group-offsets.ts';
import type { Call } from '../call.ts';
import { Gather } from '../gather.ts';
import { coordinatorError, coordinatorOf } from '../groups.ts';
import { handler } from '../handler.ts';
import { askShareStates } from '../share/state-handler.ts';
import { resolvePartition } from '../topics.ts';

type Group = DescribeShareGroupOffsetsResponse['groups'][number];
type Topic = Group['topics'][number];
type Partition = Topic['partitions'][number];
type Summary = ReadShareGroupStateSummaryResponse['results'][number]['partitions'][number];

/** Of ListOffsets: the log's end. */
const LATEST = -1;

/**
 * Where share groups are: a group's coordinator says in which partitions, the share coordinators up to where, the
 * leaders how much there is left.
 */
export const describeShareGroupOffsets = handler({
  api: describeShareGroupOffsetsApi,
  min: 0,
  max: 1,
  handle(call, request) {
    const groups: Group[] = [];
    const gather = new Gather(() => call.reply({ throttleTimeMs: 0, groups }));
    request.groups.forEach((asked, at) => {
      groups.push(refused(asked.groupId, ErrorCode.NOT_COORDINATOR));
      const shard = coordinatorOf(call, asked.groupId);
      if (shard === undefined) return;
      gather.enter();
      call.ask(shard, { groups: [asked] }, ({ body, errorCode = ErrorCode.NOT_COORDINATOR }) => {
        const known = (body as DescribeShareGroupOffsetsResponse | undefined)?.groups[0];
        groups[at] = known ?? refused(asked.groupId, coordinatorError(errorCode));
        if (known === undefined) return gather.leave();
        describe(call, known, () => gather.leave());
      });
    });
    gather.seal();
  },
});

export function refused(groupId: string, errorCode: number): Group {
  return { groupId, topics: [], errorCode, errorMessage: null };
}

/** Fills in what the coordinator of the group does not know. */
function describe(call: Call, { groupId, topics }: Group, done: () => void): void {
  const known = topics.filter(({ partitions }) => partitions.every(({ errorCode }) => errorCode === 0));
  const asked = known.map(({ topicId, partitions }) => ({
    topicId,
    partitions: partitions.map(({ partitionIndex: partition }) => ({ partition, leaderEpoch: -1 })),
  }));
  const unanswered = { stateEpoch: 0, leaderEpoch: 0, startOffset: -1, deliveryCompleteCount: -1 };
  const question = { api: readShareGroupStateSummaryApi, unanswered };
  askShareStates<Summary>(call, question, { groupId, topics: asked }, (results) => {
    const gather = new Gather(done);
    for (const [at, { topicId, topicName, partitions }] of known.entries())
      for (const [index, partition] of partitions.entries()) {
        const summary = results[at]?.partitions[index];
        if (summary === undefined) continue;
        const { errorCode, errorMessage, startOffset, leaderEpoch } = summary;
        Object.assign(partition, { errorCode, errorMessage, startOffset, leaderEpoch });
        if (startOffset < 0) continue;
        gather.enter();
        askLag(call, { topicId, topicName, partition, summary }, () => gather.leave());
      }
    gather.seal();
  });
}

interface Lagging {
  topicId: Uuid;
  topicName: string;
  partition: Partition;
  summary: Summary;
}

function askLag(call: Call, { topicId, topicName, partition, summary }: Lagging, done: () => void): void {
  const { partitionIndex } = partition;
  const place = resolvePartition(call.gateway.image, { topicId }, partitionIndex);
  if ('errorCode' in place) {
    partition.errorCode = place.errorCode;
    return done();
  }
  const wanted = { partitionIndex, currentLeaderEpoch: -1, timestamp: LATEST };
  const body = { replicaId: -1, isolationLevel: 0, topics: [{ name: topicName, partitions: [wanted] }] };
  call.askAs(listOffsetsApi.key, listOffsetsApi.versions.max, place.shard, body, (reply) => {
    const found = (reply.body as ListOffsetsResponse | undefined)?.topics[0]?.partitions[0];
    const { startOffset, deliveryCompleteCount } = summary;
    if (found?.errorCode === ErrorCode.NONE)
      partition.lag = Math.max(0, found.offset - startOffset - Math.max(0, deliveryCompleteCount));
    done();
  });
}
