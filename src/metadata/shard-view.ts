import type { Uuid } from '../model/ids.ts';
import { SHARE_GROUP_STATE_TOPIC, TRANSACTION_STATE_TOPIC } from '../model/ids.ts';
import { type MetadataImage, ResourceType, type TopicImage } from './image.ts';
import type { MetadataRecord, MetadataRecordInit } from './records.ts';
import { imageRecords } from './snapshot.ts';

/** Whose partitions a log asks. */
const ASKED = [TRANSACTION_STATE_TOPIC, SHARE_GROUP_STATE_TOPIC];
/** Settings that count for any log. */
const FOR_ALL: ReadonlySet<number> = new Set([ResourceType.BROKER, ResourceType.GROUP]);

/**
 * What one shard has to know of the metadata, where it is alone: a partition its topic, the settings that count for
 * it, and how many coordinators there are of transactions and share groups; a coordinator all topics. Nobody who does
 * not lead clients in has to know users and rules.
 */
export function* shardRecords(image: MetadataImage, topicId: Uuid | undefined): Iterable<MetadataRecordInit> {
  const asked = new Set(ASKED.map((name) => image.topic(name)?.id));
  const isMine = (id: Uuid) => topicId === undefined || id === topicId || asked.has(id);
  const name = topicId === undefined ? undefined : image.topicById(topicId)?.name;
  for (const record of imageRecords(image)) {
    switch (record.type) {
      case 'topic':
      case 'partition':
        if (isMine(record.topicId)) yield record;
        break;
      case 'config':
        if (isWanted(record, topicId === undefined ? undefined : (name ?? ''))) yield record;
        break;
      case 'featureLevel':
        yield record;
        break;
      default:
    }
  }
}

/** @param topic of which alone settings count; undefined: of all. */
function isWanted(
  { resourceType, resourceName }: { resourceType: number; resourceName: string },
  topic?: string,
) {
  if (topic === undefined || FOR_ALL.has(resourceType)) return true;
  return resourceType === ResourceType.TOPIC && resourceName === topic;
}

/** Makes of an image the one that `records` rebuild: what it has beside that goes. */
export function becomeRecords(image: MetadataImage, records: readonly MetadataRecord[]): void {
  const kept = new Set(records.map((record) => ending(record)?.key));
  const gone = Array.from(imageRecords(image), ending).filter((end) => end && !kept.has(end.key));
  for (const end of gone) if (end !== undefined) image.apply(end.record);
  for (const record of records) image.apply(record);
}

/** What a record is about, and what takes it away again; undefined for what goes with something else, or never. */
function ending(record: MetadataRecordInit): { key: string; record: MetadataRecord } | undefined {
  switch (record.type) {
    case 'topic': {
      const { topicId } = record;
      return { key: topicId, record: { type: 'removeTopic', topicId } };
    }
    case 'config': {
      const { resourceType, resourceName, name } = record;
      const key = JSON.stringify([resourceType, resourceName, name]);
      return { key, record: { type: 'config', resourceType, resourceName, name, value: null } };
    }
    case 'featureLevel': {
      const { name } = record;
      return { key: `feature ${name}`, record: { type: 'featureLevel', name, featureLevel: 0 } };
    }
    case 'accessControlEntry':
      return { key: `rule ${record.id}`, record: { type: 'removeAccessControlEntry', id: record.id } };
    case 'userScramCredential': {
      const { name, mechanism } = record;
      return {
        key: `user ${mechanism} ${name}`,
        record: { type: 'removeUserScramCredential', name, mechanism },
      };
    }
    case 'clientQuota': {
      const key = `quota ${record.key} ${JSON.stringify(record.entity)}`;
      return { key, record: { ...record, value: 0, remove: true } as MetadataRecord };
    }
    default:
      return undefined;
  }
}

/**
 * Stands for what {@link shardRecords} says: two images that differ there have different prints, as good as surely. So
 * whoever keeps a copy learns from whoever asks him whether it is old.
 */
export function shardPrint(image: MetadataImage, topicId: Uuid | undefined): string {
  const settings = Array.from(image.configuredResources(), ({ type, name, configs }) => ({
    type,
    name,
    text: Array.from(configs, (entry) => JSON.stringify(entry))
      .toSorted()
      .join(),
  }));
  const own = topicId === undefined ? undefined : image.topicById(topicId);
  const wanted = settings
    .filter(({ type, name }) =>
      isWanted({ resourceType: type, resourceName: name }, topicId && (own?.name ?? '')),
    )
    .map((setting) => JSON.stringify(setting))
    .toSorted();
  const topics = topicId === undefined ? image.topics() : own === undefined ? [] : [own];
  const coordinators = ASKED.map((name) => image.topic(name)?.partitions.length ?? 0);
  const features = [...image.features].map(([name, level]) => `${name}:${level}`).toSorted();
  return digest([...wanted, ...features, coordinators.join(), ...topics.map(topicText)].join('\n'));
}

function topicText({ name, id, partitions }: TopicImage): string {
  return `${name} ${id} ${partitions.map(({ leaderEpoch }) => leaderEpoch).join()}`;
}

/** 64 bits, two times FNV-1a with different starts; nobody gains by two alike. */
function digest(text: string): string {
  let a = 0x811c9dc5;
  let b = 0x9747b28c;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    a = Math.imul(a ^ unit, 0x01000193);
    b = Math.imul(b ^ unit, 0x85ebca6b) ^ (b >>> 15);
  }
  return (a >>> 0).toString(36) + (b >>> 0).toString(36);
}
