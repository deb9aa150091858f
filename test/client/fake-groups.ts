import { ErrorCode } from '../../src/model/errors.ts';
import { offsetCommitApi, type OffsetCommitRequest } from '../../src/wire/apis/08-offset-commit.ts';
import { offsetFetchApi } from '../../src/wire/apis/09-offset-fetch.ts';
import { findCoordinatorApi } from '../../src/wire/apis/10-find-coordinator.ts';
import { joinGroupApi } from '../../src/wire/apis/11-join-group.ts';
import { heartbeatApi } from '../../src/wire/apis/12-heartbeat.ts';
import { leaveGroupApi } from '../../src/wire/apis/13-leave-group.ts';
import { syncGroupApi } from '../../src/wire/apis/14-sync-group.ts';
import {
  consumerGroupHeartbeatApi,
  type ConsumerGroupHeartbeatRequest,
} from '../../src/wire/apis/68-consumer-group-heartbeat.ts';
import type { Api } from '../../src/wire/schema.ts';
import type { GroupConfig } from '../../src/group/index.ts';
import { Coordinator } from '../group/coordinator.ts';
import { type FakeCluster, type FakeRequest, type FakeService, TOPIC } from './fake-cluster.ts';

/** The real coordinator of groups, in the virtual time of a fake cluster; the broker it runs on may change. */
export class FakeGroups implements FakeService {
  readonly apis: readonly Api[] = [
    offsetCommitApi,
    offsetFetchApi,
    findCoordinatorApi,
    joinGroupApi,
    heartbeatApi,
    leaveGroupApi,
    syncGroupApi,
    consumerGroupHeartbeatApi,
  ];
  /** The broker that coordinates. */
  nodeId = 1;
  /** Of those who came by KIP-848, each time they did; null where one has names. */
  readonly patterns: (string | null | undefined)[] = [];
  readonly #cluster: FakeCluster;
  readonly #coordinator: Coordinator;

  constructor(cluster: FakeCluster, config: Partial<GroupConfig> = {}) {
    this.#cluster = cluster;
    this.#coordinator = new Coordinator(config);
    cluster.services.push(this);
  }

  get group() {
    return [...this.#coordinator.machine.groups()][0];
  }

  get membersCount(): number {
    return this.group?.members.size ?? 0;
  }

  committed(topic: string, partition: number): number | undefined {
    return this.group?.offsets.get(topic)?.get(partition)?.offset;
  }

  /** The coordinator is another broker now: it has what is in the log, and nobody waits there. */
  moveTo(nodeId: number): void {
    this.nodeId = nodeId;
    this.#coordinator.reload();
    this.#alarm();
  }

  answer({ node, link, api, version, body, clientId }: FakeRequest, reply: (body: unknown) => void): void {
    if (api === findCoordinatorApi)
      return reply(this.#found((body as { coordinatorKeys: string[] }).coordinatorKeys));
    if (node !== this.nodeId) return reply(refusal(api, body, ErrorCode.NOT_COORDINATOR));
    this.#coordinator.pass(this.#cluster.scheduler.now());
    this.#look();
    if (api === consumerGroupHeartbeatApi) {
      const { memberEpoch, subscribedTopicRegex } = body as ConsumerGroupHeartbeatRequest;
      if (memberEpoch === 0) this.patterns.push(subscribedTopicRegex);
    }
    this.#coordinator.send(api, body as never, { client: clientId, version, link }, reply);
    this.#alarm();
  }

  forget(link: number): void {
    this.#coordinator.machine.forget(link);
  }

  /** What the cluster's metadata says. */
  #look(): void {
    const { topics } = this.#coordinator;
    const { logs, topicId } = this.#cluster;
    if (topics.topic(TOPIC)?.partitions.length !== logs.length) topics.set(TOPIC, logs.length, topicId);
  }

  #found(keys: readonly string[]) {
    const isThere = !this.#cluster.down.has(this.nodeId);
    const errorCode = isThere ? ErrorCode.NONE : ErrorCode.COORDINATOR_NOT_AVAILABLE;
    const found = { errorCode, errorMessage: null, nodeId: this.nodeId, host: 'fake', port: this.nodeId };
    return { ...found, coordinators: keys.map((key) => ({ key, ...found })) };
  }

  #alarm(): void {
    const { wakeAtMs } = this.#coordinator.machine;
    const { scheduler } = this.#cluster;
    if (wakeAtMs === Infinity) return;
    scheduler.schedule(wakeAtMs, 'group', () => {
      if (this.#coordinator.machine.wakeAtMs > scheduler.now()) return;
      this.#coordinator.pass(scheduler.now());
      this.#alarm();
    });
  }
}

function refusal(api: Api, body: unknown, errorCode: number): unknown {
  if (api === offsetCommitApi) {
    const { topics } = body as OffsetCommitRequest;
    return {
      topics: topics.map(({ name, topicId, partitions }) => ({
        name,
        topicId,
        partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode })),
      })),
    };
  }
  if (api === consumerGroupHeartbeatApi) return { errorCode, memberEpoch: 0, heartbeatIntervalMs: 0 };
  const { groups = [], memberId = '' } = body as { groups?: { groupId: string }[]; memberId?: string };
  const refused = { errorCode, memberId, members: [], topics: [], assignment: new Uint8Array(0) };
  const names = { protocolType: null, protocolName: '', leader: '' };
  return { ...refused, ...names, groups: groups.map(({ groupId }) => ({ groupId, topics: [], errorCode })) };
}
