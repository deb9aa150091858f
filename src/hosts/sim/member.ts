import { ErrorCode } from '../../model/errors.ts';
import type { Millis, Offset } from '../../model/ids.ts';
import { offsetCommitApi } from '../../wire/apis/08-offset-commit.ts';
import { offsetFetchApi } from '../../wire/apis/09-offset-fetch.ts';
import { findCoordinatorApi } from '../../wire/apis/10-find-coordinator.ts';
import { joinGroupApi } from '../../wire/apis/11-join-group.ts';
import { heartbeatApi } from '../../wire/apis/12-heartbeat.ts';
import { leaveGroupApi } from '../../wire/apis/13-leave-group.ts';
import { syncGroupApi } from '../../wire/apis/14-sync-group.ts';
import type { ResponseOf } from '../../wire/schema.ts';
import { Broken, holds } from './broken.ts';
import { type Client, only } from './client.ts';
import { type Position, Reader } from './consumer.ts';
import { type GroupLedger, REBALANCE_TIMEOUT_MS, SESSION_TIMEOUT_MS } from './group-ledger.ts';
import type { LogLedger } from './ledger.ts';
import { type World, answerOf, goesById, isTransient, isUnheardOf, isUnknownTopic } from './world.ts';

const PROTOCOL = 'spread';
const JOIN_TIMEOUT_MS = 2 * REBALANCE_TIMEOUT_MS;
/** From this version on many groups are asked for. */
const MANY_GROUPS_VERSION = 8;

/** Codes that end a membership, one way or another: the member joins again. */
const REJOIN: ReadonlySet<number> = new Set([
  ErrorCode.REBALANCE_IN_PROGRESS,
  ErrorCode.ILLEGAL_GENERATION,
  ErrorCode.UNKNOWN_MEMBER_ID,
  ErrorCode.FENCED_INSTANCE_ID,
  ErrorCode.GROUP_ID_NOT_FOUND,
]);

/** A member of a classic group: joins, owns, reads, commits; dies, leaves and comes back. */
export class Member {
  readonly group: GroupLedger;
  readonly #world: World;
  readonly #client: Client;
  readonly #reader: Reader;
  /** A static member has one (KIP-345). */
  readonly #instanceId: string | null;
  #memberId = '';
  #generationId = -1;
  #owned = new Map<LogLedger, Position>();
  /** When the last heartbeat was sent that was answered well in this generation; -1 when none was. */
  #aliveAtMs: Millis = -1;

  constructor(world: World, client: Client, group: GroupLedger, instanceId: string | null) {
    this.#world = world;
    this.#client = client;
    this.#reader = new Reader(world, client, 'subscribe');
    this.group = group;
    this.#instanceId = instanceId;
  }

  /** Of the generation it last heard from; -1 while it joins. */
  get stableGeneration(): number {
    return this.#aliveAtMs < 0 ? -1 : this.#generationId;
  }

  async run(): Promise<void> {
    const { random } = this.#client;
    const { scheduler } = this.#world;
    while (this.#world.phase !== 'over') {
      this.#aliveAtMs = -1;
      if (!(await this.#join())) {
        await scheduler.sleep(random.between(50, 300));
        continue;
      }
      await this.#live();
    }
  }

  /** Until it must join again. */
  async #live(): Promise<void> {
    const { random } = this.#client;
    while (this.#world.phase !== 'over') {
      await this.#world.scheduler.sleep(random.between(300, 1_200));
      if (this.#world.phase === 'wild' && random.chance(0.015)) return this.#goAway();
      if (!(await this.#heartbeat())) return;
      if (this.#owned.size === 0) continue;
      if (random.chance(0.6)) await this.#reader.fetch(this.#owned, { maxWaitMs: 50, minBytes: 1 });
      if (random.chance(0.5) && !(await this.#commit())) return;
    }
  }

  async #goAway(): Promise<void> {
    const { random } = this.#client;
    if (random.chance(0.5)) await this.#leave();
    this.#client.disconnect();
    await this.#world.scheduler.sleep(random.between(100, 1.3 * SESSION_TIMEOUT_MS));
    // It thinks it is still a member, and tries.
    if (this.#owned.size > 0 && random.chance(0.5)) await this.#commit();
    this.#memberId = '';
  }

  async #join(): Promise<boolean> {
    const joined = await this.#askToJoin();
    if (joined === undefined) return false;
    const { errorCode, memberId, generationId, leader, members } = joined;
    if (errorCode === ErrorCode.MEMBER_ID_REQUIRED) this.#memberId = memberId;
    if (errorCode === ErrorCode.UNKNOWN_MEMBER_ID || errorCode === ErrorCode.FENCED_INSTANCE_ID)
      this.#memberId = '';
    await this.#findCoordinator(errorCode);
    if (errorCode !== ErrorCode.NONE) return this.#isExpected(errorCode, 'joining');
    this.#memberId = memberId;
    this.#generationId = generationId;
    const isLeader = leader === memberId && members.length > 0;
    return this.#sync(isLeader ? members.map((member) => member.memberId) : []);
  }

  #askToJoin(): Promise<ResponseOf<typeof joinGroupApi> | undefined> {
    const version = this.#client.versionOf(joinGroupApi, this.#instanceId === null ? 2 : 5);
    const body = {
      groupId: this.group.groupId,
      sessionTimeoutMs: SESSION_TIMEOUT_MS,
      rebalanceTimeoutMs: REBALANCE_TIMEOUT_MS,
      memberId: this.#memberId,
      groupInstanceId: this.#instanceId,
      protocolType: 'consumer',
      protocols: [{ name: PROTOCOL, metadata: new Uint8Array(0) }],
    };
    return answerOf(this.#client.request(joinGroupApi, version, body, JOIN_TIMEOUT_MS));
  }

  #isExpected(errorCode: number, doing: string): false {
    const isKnown =
      REJOIN.has(errorCode) || isTransient(errorCode) || errorCode === ErrorCode.MEMBER_ID_REQUIRED;
    if (!isKnown) throw new Broken('I17', `${doing} ${this.group.groupId} gives ${errorCode}`);
    return false;
  }

  /** After these codes every client asks for it anew: that makes the topic of the offsets again where it was lost. */
  async #findCoordinator(errorCode: number): Promise<void> {
    if (errorCode !== ErrorCode.COORDINATOR_NOT_AVAILABLE && errorCode !== ErrorCode.NOT_COORDINATOR) return;
    const version = this.#client.versionOf(findCoordinatorApi);
    const { groupId } = this.group;
    await answerOf(
      this.#client.request(findCoordinatorApi, version, { key: groupId, coordinatorKeys: [groupId] }),
    );
  }

  /** @param members to assign to, when this one leads. */
  async #sync(members: readonly string[]): Promise<boolean> {
    const version = this.#client.versionOf(syncGroupApi, this.#instanceId === null ? 0 : 3);
    const body = {
      ...this.#who(),
      protocolType: 'consumer',
      protocolName: PROTOCOL,
      assignments: spread(this.#logs(), members),
    };
    const answer = await answerOf(this.#client.request(syncGroupApi, version, body, JOIN_TIMEOUT_MS));
    if (answer === undefined) return false;
    if (answer.errorCode !== ErrorCode.NONE) return this.#ended(answer.errorCode, 'syncing with');
    const titles = new Set(new TextDecoder().decode(answer.assignment).split(' '));
    const logs = this.#logs().filter(({ title }) => titles.has(title));
    const { nowMs } = this.#world.scheduler;
    const owner = this.#instanceId ?? this.#memberId;
    this.group.assigned(this.#generationId, owner, logs, nowMs);
    this.#owned = new Map();
    const offsets = await this.#committed(logs);
    if (offsets === undefined) return false;
    for (const log of logs) {
      const committed = offsets.get(log) ?? -1;
      // What was committed may outlive what was read.
      const known = log.losses > 0 ? Math.min(committed, log.promisedEnd) : committed;
      const offset = Math.max(known, log.trimmed.most);
      this.#owned.set(log, this.#reader.start(log, offset));
    }
    return true;
  }

  #logs(): LogLedger[] {
    const topics = this.#world.ledger.topics();
    return topics.flatMap((topic) => topic.logs).filter((log) => !goesById(log));
  }

  #who() {
    return {
      groupId: this.group.groupId,
      generationId: this.#generationId,
      memberId: this.#memberId,
      groupInstanceId: this.#instanceId,
    };
  }

  async #committed(logs: readonly LogLedger[]): Promise<Map<LogLedger, Offset> | undefined> {
    const version = this.#client.versionOf(offsetFetchApi, 2);
    const { groupId } = this.group;
    const topics = logs.map(({ topic, partition }) => ({
      name: topic.name,
      topicId: topic.id,
      partitionIndexes: [partition],
    }));
    const losses = new Map(logs.map((log) => [log, log.losses]));
    const body = version < MANY_GROUPS_VERSION ? { groupId, topics } : { groups: [{ groupId, topics }] };
    const answer = await answerOf(
      this.#client.request(offsetFetchApi, version, { topics: null, groups: [], ...body, groupId }),
    );
    if (answer === undefined) return undefined;
    const found = version < MANY_GROUPS_VERSION ? answer : only(answer.groups);
    if (found.errorCode !== ErrorCode.NONE) {
      this.#isExpected(found.errorCode, 'reading positions of');
      return undefined;
    }
    const offsets = new Map<LogLedger, Offset>();
    for (const topic of found.topics) {
      for (const { partitionIndex, committedOffset } of topic.partitions) {
        const log = logs.find(
          (one) =>
            one.partition === partitionIndex &&
            ('topicId' in topic && version >= 10
              ? one.topic.id === topic.topicId
              : one.topic.name === topic.name),
        );
        holds(log, 'I16', () => `a position of ${topic.name}-${partitionIndex}, which nobody asked for`);
        if (losses.get(log) === log.losses) this.group.positionRead(log, committedOffset);
        offsets.set(log, committedOffset);
      }
    }
    return offsets;
  }

  async #heartbeat(): Promise<boolean> {
    const sentAtMs = this.#world.scheduler.nowMs;
    const version = this.#client.versionOf(heartbeatApi, this.#instanceId === null ? 0 : 3);
    const answer = await answerOf(this.#client.request(heartbeatApi, version, this.#who()));
    // A lost answer ends nothing.
    if (answer === undefined) return true;
    if (isTransient(answer.errorCode)) {
      await this.#findCoordinator(answer.errorCode);
      return true;
    }
    if (answer.errorCode !== ErrorCode.NONE) return this.#ended(answer.errorCode, 'a heartbeat to');
    this.#aliveAtMs = sentAtMs;
    return true;
  }

  /** @returns false when it must join again. */
  async #commit(): Promise<boolean> {
    const { generationId, ...who } = this.#who();
    const sentAtMs = this.#world.scheduler.nowMs;
    const version = this.#client.versionOf(offsetCommitApi, this.#instanceId === null ? 2 : 7);
    // A position of before a loss may be beyond the end, and the next one before it.
    const commits = [...this.#owned].map(([log, { offset, losses }]) => ({ log, offset, losses }));
    const topics = commits.map(({ log: { topic, partition }, offset }) => ({
      name: topic.name,
      topicId: topic.id,
      partitions: [{ partitionIndex: partition, committedOffset: offset, committedMetadata: '' }],
    }));
    const body = { ...who, generationIdOrMemberEpoch: generationId, topics };
    const answer = await answerOf(this.#client.request(offsetCommitApi, version, body));
    if (answer === undefined) return true;
    let goesOn = true;
    answer.topics.forEach((topic, at) => {
      const { errorCode } = only(topic.partitions);
      const commit = commits[at];
      if (isUnknownTopic(errorCode) && commit?.log.isDoomed) return;
      if (isUnheardOf(this.#world, errorCode)) return;
      if (errorCode === ErrorCode.NONE && commit && commit.losses === commit.log.losses)
        this.group.committed(commit.log, { offset: commit.offset, generationId, sentAtMs });
      else if (errorCode !== ErrorCode.NONE && !isTransient(errorCode))
        goesOn &&= this.#ended(errorCode, 'committing to');
    });
    return goesOn;
  }

  async #leave(): Promise<void> {
    const { groupId, memberId, groupInstanceId } = this.#who();
    const version = this.#client.versionOf(leaveGroupApi, groupInstanceId === null ? 0 : 3);
    const members = version >= 3 ? [{ memberId, groupInstanceId }] : [];
    this.#aliveAtMs = -1;
    await answerOf(this.#client.request(leaveGroupApi, version, { groupId, memberId, members }));
  }

  /** A member that was heard in time stays one, whatever befell the node: its log has the generation. */
  #ended(errorCode: number, doing: string): false {
    if (errorCode === ErrorCode.UNKNOWN_MEMBER_ID || errorCode === ErrorCode.FENCED_INSTANCE_ID) {
      const isHeard = this.#world.scheduler.nowMs - this.#aliveAtMs < SESSION_TIMEOUT_MS;
      holds(!isHeard || this.group.isForgotten || errorCode === ErrorCode.FENCED_INSTANCE_ID, 'I11', () => {
        return `${this.#memberId} was heard at ${this.#aliveAtMs} and is no member of ${this.group.groupId} now`;
      });
      this.#memberId = '';
    }
    this.#aliveAtMs = -1;
    if (!isTransient(errorCode)) this.#isExpected(errorCode, doing);
    return false;
  }
}

/** Deals logs out to members in turn. */
function spread(logs: readonly LogLedger[], members: readonly string[]) {
  const sorted = members.toSorted();
  return sorted.map((memberId, number) => {
    const titles = logs.filter((_, at) => at % sorted.length === number).map(({ title }) => title);
    return { memberId, assignment: new TextEncoder().encode(titles.join(' ')) };
  });
}
