import type { Kernels } from '../../kernels/kernels.ts';
import { ErrorCode } from '../../model/errors.ts';
import type { LeaderEpoch, LogKey, Millis } from '../../model/ids.ts';
import { metadataApi } from '../../wire/apis/03-metadata.ts';
import type { Recorder } from './anomalies/history.ts';
import { holds } from './broken.ts';
import { type Client, NoAnswer } from './client.ts';
import type { GroupLedger } from './group-ledger.ts';
import type { Ledger, LogLedger } from './ledger.ts';
import type { NodeConfig } from './node.ts';
import type { Scheduler } from './scheduler.ts';
import { SHARE_TOPIC } from './share/ledger.ts';
import { TXN_TOPICS } from './txn/ledger.ts';

/** What the clients of a simulation see of it. */
export interface World {
  readonly scheduler: Scheduler;
  readonly kernels: Kernels;
  readonly ledger: Ledger;
  readonly groups: ReadonlyMap<string, GroupLedger>;
  readonly config: NodeConfig;
  /** Of what clients do, for the checker of anomalies. */
  readonly recorder: Recorder;
  /** `calm`: no more faults, and clients neither die nor leave. `over`: they stop. */
  readonly phase: 'wild' | 'calm' | 'over';
  /** Gateways are many: one may not have heard yet of a topic, or of how far a log is whose old records it reads. */
  readonly gatewaysLag?: boolean;
  /** Whether the process that runs has read a wrong bit of one of that log's files, from `sinceMs` on. */
  wasFlipped(log: { title: string }, sinceMs: Millis): boolean;
}

/** It is compacted: what is left of it is looked at by itself. */
export const KEYED_TOPIC = 'keyed';

/** Codes after which a client tries again: the node's storage failed, or it took too long. */
export function isTransient(errorCode: number): boolean {
  return TRANSIENT.has(errorCode);
}
const TRANSIENT: ReadonlySet<number> = new Set([
  ErrorCode.KAFKA_STORAGE_ERROR,
  ErrorCode.NOT_LEADER_OR_FOLLOWER,
  ErrorCode.REQUEST_TIMED_OUT,
  ErrorCode.NOT_CONTROLLER,
  ErrorCode.NOT_COORDINATOR,
  ErrorCode.COORDINATOR_NOT_AVAILABLE,
  ErrorCode.COORDINATOR_LOAD_IN_PROGRESS,
]);

export function isUnknownTopic(errorCode: number): boolean {
  return errorCode === ErrorCode.UNKNOWN_TOPIC_OR_PARTITION || errorCode === ErrorCode.UNKNOWN_TOPIC_ID;
}

/** The topic is there, and this gateway has not heard of it yet. */
export function isUnheardOf({ gatewaysLag, phase }: World, errorCode: number): boolean {
  return gatewaysLag === true && phase !== 'over' && isUnknownTopic(errorCode);
}

/** Its id must name it: the name may mean a later topic by the time a request arrives. */
export function goesById({ topic }: LogLedger): boolean {
  return topic.name.startsWith('temp');
}

/** Undefined when it is not known what became of the request. */
export async function answerOf<T>(asked: Promise<T>): Promise<T | undefined> {
  try {
    return await asked;
  } catch (error) {
    if (error instanceof NoAnswer) return undefined;
    throw error;
  }
}

const LEADER_EPOCHS_VERSION = 10;

/** Asks for all topics and checks that none is missing. @returns the leader epochs; undefined without an answer. */
export async function lookAround(
  world: World,
  client: Client,
): Promise<ReadonlyMap<LogKey, LeaderEpoch> | undefined> {
  const expected = world.ledger.topics().flatMap(({ logs }) => logs);
  const answer = await answerOf(
    client.request(metadataApi, client.versionOf(metadataApi, LEADER_EPOCHS_VERSION), { topics: null }),
  );
  if (answer === undefined) return undefined;
  const epochs = new Map<LogKey, LeaderEpoch>();
  for (const { name, topicId, isInternal, partitions } of answer.topics) {
    if (isInternal || name === null || name === KEYED_TOPIC || name === SHARE_TOPIC || TXN_TOPICS.has(name))
      continue;
    for (const { partitionIndex, leaderEpoch } of partitions)
      epochs.set(`${topicId}/${partitionIndex}`, leaderEpoch);
    const known = world.ledger.topicById(topicId);
    if (known === undefined || partitions.length > known.logs.length)
      world.ledger.seen(name, topicId, partitions.length);
  }
  for (const { log, title, isDoomed } of expected)
    holds(isDoomed || epochs.has(log) || isUnheardOf(world, ErrorCode.UNKNOWN_TOPIC_ID), 'I1', () => {
      return `${title} was there and metadata does not know it`;
    });
  return epochs;
}
