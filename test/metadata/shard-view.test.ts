import fc from 'fast-check';
import { expect, test } from 'vitest';
import { MetadataImage, ResourceType } from '../../src/metadata/image.ts';
import {
  decodeMetadataRecord,
  encodeMetadataRecord,
  type MetadataRecord,
  type MetadataRecordInit,
} from '../../src/metadata/records.ts';
import { becomeRecords, shardPrint, shardRecords } from '../../src/metadata/shard-view.ts';
import { imageRecords } from '../../src/metadata/snapshot.ts';
import { TRANSACTION_STATE_TOPIC } from '../../src/model/ids.ts';
import { uuidOf } from './cluster.ts';

const newImage = () => new MetadataImage({ clusterId: 'c', controllerId: 1 });
const asRead = (record: MetadataRecordInit) =>
  decodeMetadataRecord(encodeMetadataRecord(record)) as MetadataRecord;

function partitionOf(topic: number, partitionId: number, leaderEpoch: number): MetadataRecordInit {
  return {
    type: 'partition',
    topicId: uuidOf(topic),
    partitionId,
    leader: 1,
    leaderEpoch,
    partitionEpoch: 0,
    replicas: [1],
    isr: [1],
    removingReplicas: [],
    addingReplicas: [],
    directories: [],
  };
}

const nameOf = (topic: number) => (topic === 0 ? TRANSACTION_STATE_TOPIC : `topic-${topic}`);

/** What may be in a metadata log, of few topics and few settings. */
const record: fc.Arbitrary<readonly MetadataRecordInit[]> = fc.oneof(
  fc
    .record({ topic: fc.nat(3), partitions: fc.nat(3), epoch: fc.nat(2) })
    .map(({ topic, partitions, epoch }) => [
      { type: 'topic' as const, name: nameOf(topic), topicId: uuidOf(topic) },
      ...Array.from({ length: partitions }, (_, index) => partitionOf(topic, index, epoch)),
    ]),
  fc.nat(3).map((topic) => [{ type: 'removeTopic' as const, topicId: uuidOf(topic) }]),
  fc
    .record({
      topic: fc.nat(3),
      name: fc.constantFrom('a', 'b'),
      value: fc.option(fc.constantFrom('1', '2')),
    })
    .map(({ topic, name, value }) => [
      { type: 'config' as const, resourceType: ResourceType.TOPIC, resourceName: nameOf(topic), name, value },
    ]),
  fc
    .option(fc.constantFrom('1', '2'))
    .map((value) => [
      { type: 'config' as const, resourceType: ResourceType.BROKER, resourceName: '', name: 'x', value },
    ]),
  fc.nat(2).map((featureLevel) => [{ type: 'featureLevel' as const, name: 'f', featureLevel }]),
  fc.constantFrom('removeAccessControlEntry' as const, 'accessControlEntry' as const).map((type) => [
    type === 'removeAccessControlEntry'
      ? { type, id: uuidOf(9) }
      : {
          type,
          id: uuidOf(9),
          resourceType: 2,
          resourceName: 'x',
          patternType: 3,
          principal: 'User:x',
          host: '*',
          operation: 3,
          permissionType: 3,
        },
  ]),
);
const log = fc.array(record, { maxLength: 12 }).map((each) => each.flat().map(asRead));

function imageOf(records: Iterable<MetadataRecord>): MetadataImage {
  const image = newImage();
  for (const each of records) image.apply(each);
  return image;
}

const told = (image: MetadataImage) =>
  Array.from(imageRecords(image), (each) => JSON.stringify(asRead(each))).toSorted();

test('an image becomes any other', () => {
  fc.assert(
    fc.property(log, log, (was, is) => {
      const image = imageOf(was);
      const wanted = imageOf(is);
      becomeRecords(image, Array.from(imageRecords(wanted), asRead));
      expect(told(image)).toEqual(told(wanted));
    }),
  );
});

test('what a shard is told has the print of all there is, and another print when it is told something else', () => {
  fc.assert(
    fc.property(log, log, fc.option(fc.nat(3)), (one, other, topic) => {
      const topicId = topic === null ? undefined : uuidOf(topic);
      const images = [imageOf(one), imageOf(other)];
      const [a, b] = images.map((image) => {
        const records = Array.from(shardRecords(image, topicId), asRead);
        const view = imageOf(records);
        expect(shardPrint(view, topicId)).toBe(shardPrint(image, topicId));
        return { told: told(view), print: shardPrint(view, topicId) };
      });
      // Partitions of the coordinators are told to all; of them the number alone counts.
      const isSame = JSON.stringify(a?.told) === JSON.stringify(b?.told);
      const isSameForAll = isSame || topic === 0 || mentionsCoordinators(a?.told, b?.told);
      expect(a?.print === b?.print || !isSame).toBe(true);
      expect(a?.print !== b?.print || isSameForAll).toBe(true);
    }),
  );
});

function mentionsCoordinators(...lists: (readonly string[] | undefined)[]): boolean {
  return lists.some((list) => list?.some((text) => text.includes(uuidOf(0))));
}

test('a partition hears of its own topic, of settings that count for it, and of nobody else', () => {
  const image = imageOf(
    [
      { type: 'topic' as const, name: 'mine', topicId: uuidOf(1) },
      partitionOf(1, 0, 0),
      { type: 'topic' as const, name: 'other', topicId: uuidOf(2) },
      partitionOf(2, 0, 0),
      { type: 'config' as const, resourceType: 2, resourceName: 'other', name: 'a', value: '1' },
      { type: 'config' as const, resourceType: 2, resourceName: 'mine', name: 'a', value: '2' },
      { type: 'producerIds' as const, brokerId: 1, brokerEpoch: 0, nextProducerId: 9 },
    ].map(asRead),
  );
  const kinds = Array.from(shardRecords(image, uuidOf(1)), (each) =>
    'topicId' in each ? `${each.type} ${each.topicId}` : each.type,
  );
  expect(kinds).toEqual([`topic ${uuidOf(1)}`, `partition ${uuidOf(1)}`, 'config']);
});
