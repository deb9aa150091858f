import type { BrokerId, Uuid } from '../model/ids.ts';
import type { EndpointImage, MetadataImage } from './image.ts';
import type { MetadataRecordInit } from './records.ts';

/** metadata.version of Kafka 4.3: which record versions may be written (METADATA_RECORDS writes these). */
export const METADATA_VERSION = 30;
export const METADATA_VERSION_FEATURE = 'metadata.version';

/** 1: groups by the protocol of KIP-848. */
export const GROUP_VERSION_FEATURE = 'group.version';

/** 2: each end of a transaction moves the epoch (KIP-890). */
export const TRANSACTION_VERSION_FEATURE = 'transaction.version';

/** 1: share groups (KIP-932). */
export const SHARE_VERSION_FEATURE = 'share.version';

/** Features and levels this node works with; what is not here stays at level 0. */
export const SUPPORTED_FEATURES = [
  {
    name: METADATA_VERSION_FEATURE,
    minSupportedVersion: METADATA_VERSION,
    maxSupportedVersion: METADATA_VERSION,
  },
  { name: GROUP_VERSION_FEATURE, minSupportedVersion: 0, maxSupportedVersion: 1 },
  { name: SHARE_VERSION_FEATURE, minSupportedVersion: 0, maxSupportedVersion: 1 },
  { name: TRANSACTION_VERSION_FEATURE, minSupportedVersion: 0, maxSupportedVersion: 2 },
] as const;

/** A node that starts. */
export interface Registration {
  readonly brokerId: BrokerId;
  /** New with each start of the process. */
  readonly incarnationId: Uuid;
  readonly endpoints: readonly EndpointImage[];
  readonly rack: string | null;
  /** Ids of its log directories (directory.id of meta.properties); none when it keeps nothing on disk. */
  readonly logDirs: readonly Uuid[];
}

/**
 * What the log must hold before the node serves: of a new cluster, or one of an older Kafka, the levels of our
 * features (from then on they are UpdateFeatures' to change); the broker; and a new leader epoch for each
 * partition that it led before, or that nobody leads since Kafka was shut down here. The epoch must move
 * because a crash may have taken records that had been read (`flush=never`): only so do clients see that what
 * they know of the log has been cut (KIP-320).
 */
export function registrationRecords(image: MetadataImage, registration: Registration): MetadataRecordInit[] {
  const { brokerId, incarnationId, endpoints: endPoints, rack, logDirs } = registration;
  const records: MetadataRecordInit[] = [];
  const isNew = (image.features.get(METADATA_VERSION_FEATURE) ?? 0) < METADATA_VERSION;
  for (const { name, maxSupportedVersion: featureLevel } of isNew ? SUPPORTED_FEATURES : [])
    if ((image.features.get(name) ?? 0) < featureLevel)
      records.push({ type: 'featureLevel', name, featureLevel });
  const before = image.broker(brokerId);
  const brokerEpoch = before ? before.epoch + 1 : 0;
  const broker = {
    brokerId,
    incarnationId,
    brokerEpoch,
    endPoints,
    features: SUPPORTED_FEATURES,
    rack,
    logDirs,
  };
  records.push({ type: 'registerBroker', ...broker, fenced: false });
  if (before && before.incarnationId !== incarnationId) records.push(...newReigns(image, brokerId));
  return records;
}

function* newReigns(image: MetadataImage, brokerId: BrokerId): Iterable<MetadataRecordInit> {
  for (const topic of image.topics()) {
    for (const { index: partitionId, leader, replicas } of topic.partitions) {
      const change = { type: 'partitionChange', topicId: topic.id, partitionId, leader: brokerId } as const;
      if (leader === brokerId) yield change;
      else if (leader === NO_LEADER && replicas.includes(brokerId)) yield { ...change, ...elected(brokerId) };
    }
  }
}

const NO_LEADER = -1;

/** Who is elected from the eligible replicas (KIP-966) is in sync, and leaves their list. */
function elected(brokerId: BrokerId) {
  return { isr: [brokerId], eligibleLeaderReplicas: [], lastKnownElr: [] };
}
