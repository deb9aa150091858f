import { ErrorCode } from '../../../src/model/errors.ts';
import { ZERO_UUID } from '../../../src/model/ids.ts';
import { listOffsetsApi, type ListOffsetsRequest } from '../../../src/wire/apis/02-list-offsets.ts';
import { metadataApi, type MetadataRequest } from '../../../src/wire/apis/03-metadata.ts';
import {
  findCoordinatorApi,
  type FindCoordinatorRequest,
} from '../../../src/wire/apis/10-find-coordinator.ts';
import { describeGroupsApi, type DescribeGroupsRequest } from '../../../src/wire/apis/15-describe-groups.ts';
import { listGroupsApi } from '../../../src/wire/apis/16-list-groups.ts';
import { createTopicsApi, type CreateTopicsRequest } from '../../../src/wire/apis/19-create-topics.ts';
import { deleteTopicsApi, type DeleteTopicsRequest } from '../../../src/wire/apis/20-delete-topics.ts';
import { deleteRecordsApi, type DeleteRecordsRequest } from '../../../src/wire/apis/21-delete-records.ts';
import type { FakeCluster, FakeRequest, FakeService } from '../fake-cluster.ts';

interface FakePartition {
  leaderId: number;
  startOffset: number;
  endOffset: number;
}

/** What is administered, on several brokers: who is asked for what another one has says so. */
export class FakeAdmin implements FakeService {
  readonly apis = [
    listOffsetsApi,
    metadataApi,
    findCoordinatorApi,
    describeGroupsApi,
    listGroupsApi,
    createTopicsApi,
    deleteTopicsApi,
    deleteRecordsApi,
  ];
  controllerId = 1;
  readonly topics = new Map<string, FakePartition[]>();
  /** By group: who coordinates it. */
  readonly groups = new Map<string, number>();
  /** `<API> <node>: <what>`, in order. */
  readonly asked: string[] = [];
  /** By API: how often a broker says that it is not the one to ask, or not yet. */
  readonly unwilling = new Map<string, number>();
  readonly #cluster: FakeCluster;

  constructor(cluster: FakeCluster) {
    this.#cluster = cluster;
    cluster.services.push(this);
  }

  /** A topic whose partitions are led by these brokers, with ten records each. */
  topic(name: string, leaderIds: readonly number[]): void {
    this.topics.set(
      name,
      leaderIds.map((leaderId) => ({ leaderId, startOffset: 0, endOffset: 10 })),
    );
  }

  answer({ node, api, body }: FakeRequest, reply: (body: unknown) => void): void {
    if (api === metadataApi) return reply(this.#metadata(body as MetadataRequest));
    if (api === createTopicsApi) return reply(this.#create(node, body as CreateTopicsRequest));
    if (api === deleteTopicsApi) return reply(this.#delete(node, body as DeleteTopicsRequest));
    if (api === listOffsetsApi) return reply(this.#listOffsets(node, body as ListOffsetsRequest));
    if (api === deleteRecordsApi) return reply(this.#deleteRecords(node, body as DeleteRecordsRequest));
    if (api === findCoordinatorApi) return reply(this.#find(body as FindCoordinatorRequest));
    if (api === listGroupsApi) return reply(this.#listGroups(node));
    reply(this.#describeGroups(node, body as DescribeGroupsRequest));
  }

  #note(api: string, node: number, what: unknown): void {
    this.asked.push(`${api} ${node}: ${String(what)}`);
  }

  #metadata({ topics }: MetadataRequest): unknown {
    const names = topics?.map(({ name }) => name ?? '') ?? [...this.topics.keys()];
    return {
      brokers: this.#cluster.bootstrap.map(({ host, port }) => ({ nodeId: port, host, port })),
      controllerId: this.controllerId,
      topics: names.map((name) => {
        const partitions = this.topics.get(name);
        const errorCode = partitions === undefined ? ErrorCode.UNKNOWN_TOPIC_OR_PARTITION : ErrorCode.NONE;
        return {
          errorCode,
          name,
          topicId: ZERO_UUID,
          partitions: (partitions ?? []).map(({ leaderId }, partitionIndex) => ({
            errorCode: 0,
            partitionIndex,
            leaderId: this.#cluster.down.has(leaderId) ? -1 : leaderId,
            leaderEpoch: 0,
            replicaNodes: [leaderId],
            isrNodes: this.#cluster.down.has(leaderId) ? [] : [leaderId],
            offlineReplicas: [],
          })),
        };
      }),
    };
  }

  #isUnwilling(api: string): boolean {
    const left = this.unwilling.get(api) ?? 0;
    this.unwilling.set(api, left - 1);
    return left > 0;
  }

  #create(node: number, { topics }: CreateTopicsRequest): unknown {
    const done = topics.map(({ name, numPartitions }) => {
      this.#note('CreateTopics', node, name);
      let errorCode: number = ErrorCode.NONE;
      if (node !== this.controllerId || this.#isUnwilling('CreateTopics'))
        errorCode = ErrorCode.NOT_CONTROLLER;
      else if (this.topics.has(name)) errorCode = ErrorCode.TOPIC_ALREADY_EXISTS;
      else
        this.topic(
          name,
          Array.from({ length: Math.max(1, numPartitions) }, () => node),
        );
      return { name, errorCode, errorMessage: null, configs: [] };
    });
    return { topics: done };
  }

  #delete(node: number, { topics }: DeleteTopicsRequest): unknown {
    const responses = topics.map(({ name }) => {
      this.#note('DeleteTopics', node, name);
      const isController = node === this.controllerId;
      const isThere = isController && this.topics.delete(name ?? '');
      const gone = isThere ? ErrorCode.NONE : ErrorCode.UNKNOWN_TOPIC_OR_PARTITION;
      return { name, errorCode: isController ? gone : ErrorCode.NOT_CONTROLLER };
    });
    return { responses };
  }

  #led(node: number, topic: string, partition: number): FakePartition | number {
    const found = this.topics.get(topic)?.[partition];
    if (found === undefined) return ErrorCode.UNKNOWN_TOPIC_OR_PARTITION;
    return found.leaderId !== node ? ErrorCode.NOT_LEADER_OR_FOLLOWER : found;
  }

  #listOffsets(node: number, { topics }: ListOffsetsRequest): unknown {
    const answered = topics.map(({ name, partitions }) => {
      this.#note(
        'ListOffsets',
        node,
        partitions.map(({ partitionIndex }) => partitionIndex),
      );
      return {
        name,
        partitions: partitions.map(({ partitionIndex, timestamp }) => {
          const found = this.#led(node, name, partitionIndex);
          if (typeof found === 'number') return { partitionIndex, errorCode: found };
          const offset = timestamp === -2 ? found.startOffset : found.endOffset;
          return { partitionIndex, errorCode: 0, offset };
        }),
      };
    });
    return { topics: answered };
  }

  #deleteRecords(node: number, { topics }: DeleteRecordsRequest): unknown {
    const answered = topics.map(({ name, partitions }) => {
      this.#note(
        'DeleteRecords',
        node,
        partitions.map(({ partitionIndex }) => partitionIndex),
      );
      return {
        name,
        partitions: partitions.map(({ partitionIndex, offset }) => {
          const isUnwilling = this.#isUnwilling('DeleteRecords');
          const found = isUnwilling
            ? ErrorCode.NOT_LEADER_OR_FOLLOWER
            : this.#led(node, name, partitionIndex);
          if (typeof found === 'number') return { partitionIndex, lowWatermark: -1, errorCode: found };
          found.startOffset = offset;
          return { partitionIndex, lowWatermark: offset, errorCode: 0 };
        }),
      };
    });
    return { topics: answered };
  }

  #find({ coordinatorKeys }: FindCoordinatorRequest): unknown {
    const coordinators = coordinatorKeys.map((key) => {
      const nodeId = this.groups.get(key) ?? 1;
      return { key, nodeId, host: 'fake', port: nodeId, errorCode: 0, errorMessage: null };
    });
    return { coordinators };
  }

  #listGroups(node: number): unknown {
    this.#note('ListGroups', node, '');
    if (this.#isUnwilling('ListGroups'))
      return { errorCode: ErrorCode.COORDINATOR_LOAD_IN_PROGRESS, groups: [] };
    const mine = [...this.groups].filter(([, nodeId]) => nodeId === node);
    const about = { protocolType: 'consumer', groupState: 'Empty', groupType: 'classic' };
    return { errorCode: 0, groups: mine.map(([groupId]) => ({ groupId, ...about })) };
  }

  #describeGroups(node: number, { groups }: DescribeGroupsRequest): unknown {
    this.#note('DescribeGroups', node, groups);
    const described = groups.map((groupId) => {
      const isMine = this.groups.get(groupId) === node && !this.#isUnwilling('DescribeGroups');
      const errorCode = isMine ? ErrorCode.NONE : ErrorCode.NOT_COORDINATOR;
      const about = { groupState: 'Empty', protocolType: 'consumer', protocolData: '', members: [] };
      return { errorCode, groupId, ...about };
    });
    return { groups: described };
  }
}
