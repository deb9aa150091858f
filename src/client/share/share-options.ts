import { isList } from '../../model/lists.ts';
import type { Millis } from '../../model/ids.ts';
import { invalidArgument, type MilenaError } from '../errors.ts';
import type { OnInvalid } from '../topics/on-invalid.ts';
import { type Deserializers, deserializersOf, nameOf, type ReadableTopic } from '../topics/topic.ts';

/** What a member said of records that it had no more: their time was up, or its connection was lost. */
export interface LostAcknowledgement {
  topic: string;
  partition: number;
  firstOffset: number;
  lastOffset: number;
  error: MilenaError;
}

export interface ShareConsumerOptions<K, V> {
  /** Its members are given records of the same partitions, each record to one at a time. */
  group: string;
  topics: ReadableTopic<K, V> | readonly ReadableTopic<K, V>[];
  /**
   * `implicit` unless given: whoever asks for the next record accepts the last one. `explicit`: what is not accepted,
   * released or rejected stays with this member until its time is up.
   */
  acknowledge?: 'implicit' | 'explicit' | undefined;
  /** Records that are asked for at once; 500 unless given. */
  maxRecords?: number | undefined;
  /** 4 MiB unless given; soft, as the first batch comes whole. */
  maxBytes?: number | undefined;
  /** How long a broker may wait for records; 500 unless given. What is acknowledged meanwhile waits with it. */
  maxWaitMs?: Millis | undefined;
  /** What becomes of a record that is not what its topic says, instead of what the topic says of that. */
  onInvalid?: OnInvalid | undefined;
  /** Is told of acknowledgements that came too late: others have, or had, these records. */
  onLost?: ((lost: LostAcknowledgement) => void) | undefined;
  /** Gives up: what is worked on is not waited for. */
  signal?: AbortSignal | undefined;
}

export interface ShareRunOptions {
  /** Records that are worked on at once; 1 unless given. */
  concurrency?: number | undefined;
  /** Ends it: what is begun is finished first. */
  signal?: AbortSignal | undefined;
}

export interface ShareSettings<K, V> {
  groupId: string;
  topics: readonly string[];
  isImplicit: boolean;
  maxRecords: number;
  maxBytes: number;
  maxWaitMs: Millis;
  deserializersOf: (topic: string) => Deserializers<K, V>;
}

const MAX_RECORDS = 500;
const MAX_BYTES = 4 * 1024 * 1024;
const MAX_WAIT_MS = 500;

/** @throws MilenaError INVALID_ARGUMENT */
export function settingsOf<K, V>(options: ShareConsumerOptions<K, V>): ShareSettings<K, V> {
  const { group, topics, acknowledge = 'implicit' } = options;
  const { maxRecords = MAX_RECORDS, maxBytes = MAX_BYTES, maxWaitMs = MAX_WAIT_MS } = options;
  if (!group) throw invalidArgument('a share consumer needs a group');
  if (acknowledge !== 'implicit' && acknowledge !== 'explicit')
    throw invalidArgument(`there is no acknowledge: ${String(acknowledge)}`, 'choose implicit or explicit');
  for (const [name, value] of Object.entries({ maxRecords, maxBytes, maxWaitMs }))
    if (!Number.isSafeInteger(value) || value < 1)
      throw invalidArgument(`${name} is a number from 1 on, not ${value}`);
  const listed: readonly ReadableTopic<K, V>[] = isList(topics) ? topics : [topics];
  const known = new Map(listed.map((topic) => [nameOf(topic), deserializersOf(topic)]));
  if (known.size === 0) throw invalidArgument('there is nothing to consume');
  return {
    groupId: group,
    topics: [...known.keys()],
    isImplicit: acknowledge === 'implicit',
    maxRecords,
    maxBytes,
    maxWaitMs,
    deserializersOf: (topic) => known.get(topic) ?? deserializersOf(topic),
  };
}

/** @throws MilenaError INVALID_ARGUMENT */
export function concurrencyOf({ concurrency = 1 }: ShareRunOptions): number {
  if (Number.isSafeInteger(concurrency) && concurrency >= 1) return concurrency;
  throw invalidArgument(`concurrency is a number from 1 on, not ${concurrency}`);
}
