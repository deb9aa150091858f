import type { Millis } from '../../model/ids.ts';
import { invalidArgument } from '../errors.ts';
import { type FetchOptions, settingsOf as fetchSettingsOf } from '../fetch/fetch-options.ts';
import { placeOf, type Position } from '../fetch/position.ts';
import { type AssignorChoice, checkAssignors } from '../group/assignors/choice.ts';
import type { TopicPartition } from '../topic-partition.ts';
import type { OnInvalid } from '../topics/on-invalid.ts';
import { type Deserializers, deserializersOf, nameOf, type ReadableTopic } from '../topics/topic.ts';
import type { Subscription } from './subscription.ts';

/** A partition that is read without the group saying so. */
export interface ManualAssignment<K, V> {
  topic: ReadableTopic<K, V>;
  partition: number;
  /** Where to begin, whatever the group has committed. */
  from?: Position | undefined;
}

/** What is read is one of: `topics`, `pattern`, `assign`. */
export interface ConsumerOptions<K, V> extends FetchOptions {
  /** Shares the partitions among its members, and keeps their positions. Needed unless partitions are assigned. */
  group?: string | undefined;
  topics?: ReadableTopic<K, V> | readonly ReadableTopic<K, V>[] | undefined;
  /**
   * All topics whose names match, those that come later too; as bytes. With `groupProtocol: 'consumer'` the broker
   * resolves it (RE2), and says when topics come, unless it has what RE2 has not or matches topics of Kafka's own.
   */
  pattern?: RegExp | undefined;
  /** Just these partitions; nobody shares them. Positions are the group's, if one is given. */
  assign?: readonly ManualAssignment<K, V>[] | undefined;
  /** Where to begin where the group has no position; `earliest` unless given. */
  from?: Position | undefined;
  /**
   * `classic` unless given: the members share the partitions out. `consumer`: the broker does (KIP-848), which then
   * also says how long a session is and how often it wants to hear.
   */
  groupProtocol?: 'classic' | 'consumer' | undefined;
  /** With `consumer`, the broker's assignor by its name, `uniform` or `range`; the broker's own choice unless given. */
  remoteAssignor?: string | undefined;
  /** By name or one's own, the best first; all members need one in common. `cooperative-sticky` unless given. */
  assignors?: readonly AssignorChoice[] | undefined;
  /** Of a static member: it keeps its partitions over a restart that is shorter than its session (KIP-345). */
  instanceId?: string | undefined;
  /** What is acked is committed every 5,000 ms unless given, when partitions are given up, and on closing. */
  autoCommit?: boolean | { readonly intervalMs: Millis } | undefined;
  /** Without a heartbeat for so long the group goes on without it; 45,000 unless given. */
  sessionTimeoutMs?: Millis | undefined;
  /** 3,000 unless given. */
  heartbeatIntervalMs?: Millis | undefined;
  /** How long a rebalance waits for it to finish what it works on; 60,000 unless given. */
  rebalanceTimeoutMs?: Millis | undefined;
  /** How often it is looked for new topics and partitions; 300,000 unless given. */
  metadataMaxAgeMs?: Millis | undefined;
  /** What becomes of a record that is not what its topic says, instead of what the topic says of that. */
  onInvalid?: OnInvalid | undefined;
  /** Gives up: what is worked on is not waited for. */
  signal?: AbortSignal | undefined;
}

export interface ConsumerSettings<K, V> {
  groupId: string | undefined;
  subscription: Subscription;
  manual: readonly (TopicPartition & { from: Position | undefined })[] | undefined;
  deserializersOf: (topic: string) => Deserializers<K, V>;
  from: Position;
  groupProtocol: 'classic' | 'consumer';
  remoteAssignor: string | null;
  assignors: readonly AssignorChoice[];
  instanceId: string | null;
  /** Undefined: only when asked. */
  commitIntervalMs: Millis | undefined;
  sessionTimeoutMs: Millis;
  heartbeatIntervalMs: Millis;
  rebalanceTimeoutMs: Millis;
  metadataMaxAgeMs: Millis;
}

const COMMIT_INTERVAL_MS = 5_000;

/** @throws MilenaError INVALID_ARGUMENT */
export function settingsOf<K, V>(options: ConsumerOptions<K, V>, nowMs: Millis): ConsumerSettings<K, V> {
  const { group, topics, pattern, assign, from = 'earliest', instanceId = null } = options;
  const { assignors = ['cooperative-sticky'], autoCommit = group !== undefined } = options;
  const { sessionTimeoutMs = 45_000, heartbeatIntervalMs = 3_000 } = options;
  const { rebalanceTimeoutMs = 60_000, metadataMaxAgeMs = 300_000 } = options;
  const times = { sessionTimeoutMs, heartbeatIntervalMs, rebalanceTimeoutMs, metadataMaxAgeMs };
  for (const [name, ms] of Object.entries(times))
    if (!Number.isSafeInteger(ms) || ms < 1) throw invalidArgument(`${name} is a number of ms, not ${ms}`);
  if ([topics, pattern, assign].filter((one) => one !== undefined).length !== 1)
    throw invalidArgument('a consumer takes one of topics, pattern and assign');
  if (group === '' || (group === undefined && assign === undefined))
    throw invalidArgument(
      'a consumer needs a group',
      'or assign partitions to it; or use read(), without a group',
    );
  const { groupProtocol = 'classic', remoteAssignor = null } = options;
  checkProtocol(groupProtocol, options);
  placeOf(from, nowMs);
  fetchSettingsOf(options);
  checkAssignors(assignors);
  const named = namedIn(options);
  const known = new Map(named.map((topic) => [nameOf(topic), deserializersOf(topic)]));
  if (pattern === undefined && known.size === 0) throw invalidArgument('there is nothing to consume');
  return {
    ...times,
    groupId: group,
    subscription: pattern === undefined ? { names: [...known.keys()] } : { pattern },
    manual: assign?.map(({ topic, partition, from: at }) => ({ topic: nameOf(topic), partition, from: at })),
    deserializersOf: (topic) => known.get(topic) ?? deserializersOf(topic),
    from,
    groupProtocol,
    remoteAssignor,
    assignors,
    instanceId,
    commitIntervalMs: intervalOf(autoCommit),
  };
}

/** What one of the protocols leaves to the broker, or to the members, is not the consumer's to say. */
const OF_CLASSIC = ['assignors', 'sessionTimeoutMs', 'heartbeatIntervalMs'] as const;

function checkProtocol<K, V>(groupProtocol: string, options: ConsumerOptions<K, V>): void {
  if (groupProtocol !== 'classic' && groupProtocol !== 'consumer')
    throw invalidArgument(`there is no group protocol ${groupProtocol}`, 'choose classic or consumer');
  if (groupProtocol === 'classic' && options.remoteAssignor !== undefined)
    throw invalidArgument('remoteAssignor is for groupProtocol: consumer', 'give assignors instead');
  const told = OF_CLASSIC.find((name) => groupProtocol === 'consumer' && options[name] !== undefined);
  if (told !== undefined)
    throw invalidArgument(`${told} is the broker's to say with groupProtocol: consumer`, 'leave it out');
}

function namedIn<K, V>({ topics = [], assign = [] }: ConsumerOptions<K, V>): ReadableTopic<K, V>[] {
  const listed = typeof topics === 'string' || !('length' in topics) ? [topics] : topics;
  return [...listed, ...assign.map(({ topic }) => topic)];
}

function intervalOf(autoCommit: boolean | { readonly intervalMs: Millis }): Millis | undefined {
  if (typeof autoCommit === 'boolean') return autoCommit ? COMMIT_INTERVAL_MS : undefined;
  if (autoCommit.intervalMs > 0) return autoCommit.intervalMs;
  throw invalidArgument(`autoCommit.intervalMs is a number of ms, not ${autoCommit.intervalMs}`);
}
