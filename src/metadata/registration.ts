import type { BrokerId, Uuid } from '../model/ids.ts';
import type { EndpointImage, MetadataImage } from './image.ts';
import type { MetadataRecordInit } from './records.ts';

/** metadata.version of Kafka 4.3: which record versions may be written (METADATA_RECORDS writes these). */
export const METADATA_VERSION = 30;
export const METADATA_VERSION_FEATURE = 'metadata.version';

/**
 * Features and levels this node works with; what is not here (transactions v2, KIP-848 groups) stays at
 * level 0.
 */
export const SUPPORTED_FEATURES = [
  {
    name: METADATA_VERSION_FEATURE,
    minSupportedVersion: METADATA_VERSION,
    maxSupportedVersion: METADATA_VERSION,
  },
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
 * What the log must hold before the node serves: the metadata version of a new cluster, the broker, and a
 * new leader epoch for each partition it led before. The epoch must move because a crash may have taken
 * records that had been read (`flush=never`): only so do clients see that what they know of the log has
 * been cut (KIP-320).
 */
export function registrationRecords(image: MetadataImage, registration: Registration): MetadataRecordInit[] {
  const { brokerId, incarnationId, endpoints: endPoints, rack, logDirs } = registration;
  const records: MetadataRecordInit[] = [];
  if (!image.features.has(METADATA_VERSION_FEATURE)) {
    records.push({ type: 'featureLevel', name: METADATA_VERSION_FEATURE, featureLevel: METADATA_VERSION });
  }
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
    for (const { index: partitionId, leader } of topic.partitions) {
      if (leader === brokerId) yield { type: 'partitionChange', topicId: topic.id, partitionId, leader };
    }
  }
}
