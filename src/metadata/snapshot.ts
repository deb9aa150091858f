import { entityData } from './quota-entities.ts';
import type { MetadataImage, PartitionImage, TopicImage } from './image.ts';
import type { MetadataRecordInit } from './records.ts';

/**
 * The records that, applied to an empty image, rebuild this one. In the order of Kafka's checkpoints:
 * features, brokers, topics with their partitions, configs, producer ids, ACLs, SCRAM credentials, quotas.
 */
export function* imageRecords(image: MetadataImage): Iterable<MetadataRecordInit> {
  for (const [name, featureLevel] of image.features) yield { type: 'featureLevel', name, featureLevel };
  for (const { id: brokerId, epoch: brokerEpoch, endpoints: endPoints, ...broker } of image.brokers()) {
    yield { type: 'registerBroker', brokerId, brokerEpoch, endPoints, ...broker };
  }
  for (const topic of image.topics()) {
    yield { type: 'topic', name: topic.name, topicId: topic.id };
    for (const partition of topic.partitions) yield partitionRecord(topic, partition);
  }
  for (const { type: resourceType, name: resourceName, configs } of image.configuredResources()) {
    for (const [name, value] of configs) yield { type: 'config', resourceType, resourceName, name, value };
  }
  if (image.nextProducerId > 0) yield producerIdsRecord(image, image.nextProducerId);
  for (const [id, acl] of image.acls.entries()) yield { type: 'accessControlEntry', id, ...acl };
  for (const { name, mechanism, credential } of image.scramUsers.entries())
    yield { type: 'userScramCredential', name, mechanism, ...credential };
  for (const { entity, values } of image.quotas.entries())
    for (const [key, value] of values)
      yield { type: 'clientQuota', entity: entityData(entity), key, value, remove: false };
}

export function partitionRecord(
  topic: Pick<TopicImage, 'id'>,
  partition: PartitionImage,
): MetadataRecordInit {
  const { index: partitionId, ...state } = partition;
  return { type: 'partition', partitionId, topicId: topic.id, ...state };
}

/** Hands all ids below `nextProducerId` to the controller's own broker. */
export function producerIdsRecord(image: MetadataImage, nextProducerId: number): MetadataRecordInit {
  const brokerId = image.controllerId;
  const brokerEpoch = image.broker(brokerId)?.epoch ?? -1;
  return { type: 'producerIds', brokerId, brokerEpoch, nextProducerId };
}
