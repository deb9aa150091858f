import type { Gateway } from '../../../gateway/gateway.ts';
import { GroupMachine, type GroupView } from '../../../group/index.ts';
import type { MetadataImage } from '../../../metadata/image.ts';
import { CONSUMER_OFFSETS_TOPIC, logKey } from '../../../model/ids.ts';
import { sizeOfAll } from '../../../ports/log-store.ts';
import { dataShard, groupShard } from '../../../ports/shard-link.ts';
import type { LogCleaner } from '../../../shard/log-cleaner.ts';
import type { Shard } from '../../../shard/shard.ts';
import type { Shards } from '../../../shard/shards.ts';
import type { OpenedStore } from '../store.ts';
import type { OtlpForwarder } from '../telemetry/otlp-forwarder.ts';
import type { Meter } from './meter.ts';

/** All that is looked at. */
export interface Observed {
  gateway: Gateway;
  shards: Shards;
  cleaner: LogCleaner;
  image: MetadataImage;
  meter: Meter;
  opened: OpenedStore;
  telemetry: OtlpForwarder | undefined;
  /** Not while the broker stops: what is closed stays closed. */
  mayOpenLogs: () => boolean;
}

export interface TopicFacts {
  topic: string;
  messagesIn: number;
  bytesIn: number;
  bytesOut: number;
}

export interface PartitionFacts {
  topic: string;
  partition: number;
  logStartOffset: number;
  logEndOffset: number;
  highWatermark: number;
  lastStableOffset: number;
  sizeBytes: number;
}

export interface GroupFacts {
  groupId: string;
  state: string;
  members: number;
  /** Where the group stands; those whose log could not be looked at are left out. */
  positions: readonly { topic: string; partition: number; committedOffset: number; lag: number }[];
  lag: number;
}

/** At most this many of each are told, those that weigh most: what a broker says must not grow with all it holds. */
export const SHOWN_MAX = { topics: 1_000, partitions: 2_000, groups: 100, positions: 1_000 } as const;
/** Logs opened for one look: a broker that has just started may have very many. */
const OPENED_MAX = 500;

export interface Facts {
  topics: readonly TopicFacts[];
  partitions: readonly PartitionFacts[];
  groups: readonly GroupFacts[];
  groupsByState: ReadonlyMap<string, number>;
  /** How many are left out. */
  omitted: { topics: number; partitions: number; groups: number };
}

/** Looks. Logs that groups stand in are opened for it, so that lag is known before anyone reads again. */
export async function gatherFacts(observed: Observed): Promise<Facts> {
  const machines = await groupMachines(observed);
  const views = machines.flatMap((machine) => [...machine.groups()]);
  await openLogs(observed, views);
  const groupsByState = new Map<string, number>();
  for (const { state } of views) groupsByState.set(state, (groupsByState.get(state) ?? 0) + 1);
  const topics = topicFacts(observed).toSorted((a, b) => b.bytesIn + b.bytesOut - a.bytesIn - a.bytesOut);
  const partitions = partitionFacts(observed).toSorted((a, b) => b.sizeBytes - a.sizeBytes);
  const groups = views.map((view) => groupFacts(observed, view)).toSorted((a, b) => b.lag - a.lag);
  return {
    topics: topics.slice(0, SHOWN_MAX.topics),
    partitions: partitions.slice(0, SHOWN_MAX.partitions),
    groups: groups.slice(0, SHOWN_MAX.groups),
    groupsByState,
    omitted: {
      topics: Math.max(0, topics.length - SHOWN_MAX.topics),
      partitions: Math.max(0, partitions.length - SHOWN_MAX.partitions),
      groups: Math.max(0, groups.length - SHOWN_MAX.groups),
    },
  };
}

async function groupMachines(observed: Observed): Promise<GroupMachine[]> {
  const { shards, image } = observed;
  const topic = image.topic(CONSUMER_OFFSETS_TOPIC);
  const coordinators = (topic?.partitions ?? []).flatMap(({ index }) => shards.get(groupShard(index)) ?? []);
  await openAll(observed, coordinators);
  return coordinators.flatMap(({ machine }) => (machine instanceof GroupMachine ? machine : []));
}

async function openLogs(observed: Observed, groups: readonly GroupView[]): Promise<void> {
  const wanted = new Set<Shard>();
  for (const { offsets } of groups) {
    for (const [topic, partitions] of offsets) {
      for (const partition of partitions.keys()) {
        const shard = dataShardOf(observed, topic, partition);
        if (shard?.state === 'closed') wanted.add(shard);
        if (wanted.size === OPENED_MAX) return openAll(observed, wanted);
      }
    }
  }
  await openAll(observed, wanted);
}

/** One after the other: clients come first. */
async function openAll({ mayOpenLogs }: Observed, shards: Iterable<Shard>): Promise<void> {
  for (const shard of shards) if (shard.state === 'closed' && mayOpenLogs()) await shard.open();
}

function dataShardOf({ shards, image }: Observed, name: string, partition: number) {
  const topic = image.topic(name);
  return topic === undefined ? undefined : shards.get(dataShard(logKey(topic.id, partition)));
}

function topicFacts({ meter, gateway, image }: Observed): TopicFacts[] {
  const { fetchedBytes } = gateway.counters;
  for (const counts of [meter.byTopic, fetchedBytes]) {
    for (const topic of counts.keys()) if (image.topic(topic) === undefined) counts.delete(topic);
  }
  return [...new Set([...meter.byTopic.keys(), ...fetchedBytes.keys()])].map((topic) => ({
    topic,
    messagesIn: meter.byTopic.get(topic)?.records ?? 0,
    bytesIn: meter.byTopic.get(topic)?.bytes ?? 0,
    bytesOut: fetchedBytes.get(topic) ?? 0,
  }));
}

/** Of logs that are open: a log opens when it is first used. */
function partitionFacts({ shards, opened }: Observed): PartitionFacts[] {
  return Array.from(shards.all()).flatMap(({ log }) => {
    if (log === undefined) return [];
    const { topic, partition } = log.name;
    const { logStartOffset, logEndOffset, highWatermark, lastStableOffset } = log;
    const sizeBytes = sizeOfAll(opened.store.segments(log.name.log));
    return { topic, partition, logStartOffset, logEndOffset, highWatermark, lastStableOffset, sizeBytes };
  });
}

function groupFacts(observed: Observed, { groupId, state, members, offsets }: GroupView): GroupFacts {
  const positions: GroupFacts['positions'][number][] = [];
  let lag = 0;
  for (const [topic, partitions] of offsets) {
    for (const [partition, { offset }] of partitions) {
      const log = dataShardOf(observed, topic, partition)?.log;
      if (log === undefined) continue;
      const behind = Math.max(0, log.highWatermark - Math.max(offset, log.logStartOffset));
      lag += behind;
      positions.push({ topic, partition, committedOffset: offset, lag: behind });
    }
  }
  return { groupId, state, members: members.size, positions, lag };
}
