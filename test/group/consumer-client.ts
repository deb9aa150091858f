import {
  consumerGroupHeartbeatApi,
  type ConsumerGroupHeartbeatResponse,
} from '../../src/wire/apis/68-consumer-group-heartbeat.ts';
import { consumerGroupDescribeApi } from '../../src/wire/apis/69-consumer-group-describe.ts';
import type { RequestInitOf } from '../../src/wire/schema.ts';
import { decodeRecord } from '../../src/group/records.ts';
import type { GroupConfig } from '../../src/group/index.ts';
import { Coordinator } from './coordinator.ts';

export const REBALANCE_MS = 30_000;
export const HEARTBEAT_MS = 5_000;
export const SESSION_MS = 45_000;

type Heartbeat = RequestInitOf<typeof consumerGroupHeartbeatApi>;

interface ClientOptions {
  coordinator: Coordinator;
  name: string;
  groupId?: string;
  topics?: readonly string[];
  regex?: string;
  instanceId?: string;
  assignor?: string;
  version?: number;
}

/** `topicId/partition` */
type Title = string;

/** A client that does what Java's does by KIP-848: says what is new, gives up first and says so, then takes. */
export class ConsumerClient {
  readonly #options: ClientOptions;
  memberId: string;
  epoch = 0;
  topics: readonly string[];
  regex: string | undefined;
  /** What it reads now. */
  readonly owned = new Set<Title>();
  /** Has been told to hold other partitions, and has not said yet that it does. */
  #isToTell = false;
  /** An answer was lost. */
  #isToSayAll = false;
  static #ids = 0;

  constructor(options: ClientOptions) {
    this.#options = options;
    this.topics = options.topics ?? [];
    this.regex = options.regex;
    this.memberId = `${options.name}-${++ConsumerClient.#ids}`;
  }

  get name(): string {
    return this.#options.name;
  }

  /** As `name-partition`, in order. */
  get reads(): string[] {
    return [...this.owned].sort();
  }

  /** What its next heartbeat would say. */
  request(): Heartbeat {
    const { groupId = 'g', instanceId = null, assignor = null } = this.#options;
    const who = { groupId, memberId: this.memberId, memberEpoch: this.epoch, instanceId };
    if (this.epoch === 0 || this.#isToSayAll)
      return {
        ...who,
        rebalanceTimeoutMs: REBALANCE_MS,
        subscribedTopicNames: [...this.topics],
        subscribedTopicRegex: this.regex ?? null,
        serverAssignor: assignor,
        topicPartitions: listsOf(this.owned),
      };
    return { ...who, topicPartitions: this.#isToTell ? listsOf(this.owned) : null };
  }

  /** Beats, and does what it is told. @returns the answer. */
  beat(said: Partial<Heartbeat> = {}): ConsumerGroupHeartbeatResponse {
    const answer = this.send({ ...this.request(), ...said });
    if (answer.errorCode === 0) this.take(answer);
    else if (answer.errorCode === 25 || answer.errorCode === 110) this.abandon();
    return answer;
  }

  /** Its answer is lost. */
  lose(): void {
    this.send(this.request());
    this.#isToSayAll = true;
  }

  send(body: Heartbeat): ConsumerGroupHeartbeatResponse {
    const { coordinator, name, version = 1 } = this.#options;
    return coordinator.ask(consumerGroupHeartbeatApi, body, { client: name, version });
  }

  take({ memberId, memberEpoch, assignment }: ConsumerGroupHeartbeatResponse): void {
    if (memberId !== null) this.memberId = memberId;
    this.epoch = memberEpoch;
    this.#isToTell = false;
    this.#isToSayAll = false;
    if (assignment === null) return;
    const told = new Set(titlesOf(assignment.topicPartitions));
    this.#isToTell = told.size !== this.owned.size || [...told].some((title) => !this.owned.has(title));
    this.owned.clear();
    for (const title of told) this.owned.add(title);
  }

  /** It has lost all it had, and begins anew. */
  abandon(): void {
    this.owned.clear();
    this.epoch = 0;
    this.#isToTell = false;
  }

  /** Says all, as after a timeout. */
  retry(): ConsumerGroupHeartbeatResponse {
    this.#isToSayAll = true;
    return this.beat();
  }

  leave(epoch = -1): ConsumerGroupHeartbeatResponse {
    const { groupId = 'g', instanceId = null } = this.#options;
    const answer = this.send({ groupId, memberId: this.memberId, memberEpoch: epoch, instanceId });
    this.abandon();
    return answer;
  }

  /** The process is gone, and starts again under another id. */
  restart(): void {
    this.abandon();
    this.memberId = `${this.name}-${++ConsumerClient.#ids}`;
  }
}

export function describeGroup(coordinator: Coordinator, groupId = 'g') {
  const asked = { groupIds: [groupId], includeAuthorizedOperations: false };
  const { groups } = coordinator.ask(consumerGroupDescribeApi, asked, { client: 'admin' });
  const [group] = groups;
  if (group === undefined) throw new Error('no group was described');
  return group;
}

function listsOf(titles: Iterable<Title>): { topicId: string; partitions: number[] }[] {
  const lists = new Map<string, number[]>();
  for (const title of titles) {
    const [topicId = '', partition] = title.split('/');
    lists.set(topicId, [...(lists.get(topicId) ?? []), Number(partition)]);
  }
  return [...lists].map(([topicId, partitions]) => ({ topicId, partitions }));
}

function titlesOf(lists: readonly { topicId: string; partitions: readonly number[] }[]): Title[] {
  return lists.flatMap(({ topicId, partitions }) => partitions.map((partition) => `${topicId}/${partition}`));
}

type ClientChoice = Partial<ClientOptions>;

/** A topic of four partitions, and clients that want it. */
export function consumerWorld(config: Partial<GroupConfig> = {}) {
  const coordinator = new Coordinator(config);
  const topicId = coordinator.topics.set('t', 4);
  const client = (name: string, options: ClientChoice = {}) =>
    new ConsumerClient({ coordinator, name, topics: ['t'], ...options });
  const titles = (...partitions: number[]) => partitions.map((partition) => `${topicId}/${partition}`);
  const types = () => coordinator.log.map((record) => decodeRecord(record)?.type);
  return { coordinator, client, titles, topicId, types };
}
