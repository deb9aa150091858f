import fc from 'fast-check';
import { expect, test } from 'vitest';
import { MetadataImage } from '../../src/metadata/image.ts';
import {
  encodeMetadataRecord,
  decodeMetadataRecord,
  type MetadataRecordInit,
} from '../../src/metadata/records.ts';
import { uuidOf } from './cluster.ts';

function imageOf(records: readonly MetadataRecordInit[]): MetadataImage {
  const image = new MetadataImage({ clusterId: 'c', controllerId: 1 });
  for (const record of records) {
    const decoded = decodeMetadataRecord(encodeMetadataRecord(record));
    if (decoded) image.apply(decoded);
  }
  return image;
}

const topic = (name: string, id: number): MetadataRecordInit => ({
  type: 'topic',
  name,
  topicId: uuidOf(id),
});
const partition = (id: number, partitionId: number): MetadataRecordInit => ({
  type: 'partition',
  topicId: uuidOf(id),
  partitionId,
  replicas: [1, 2],
  isr: [1, 2],
  removingReplicas: [],
  addingReplicas: [],
  leader: 1,
  leaderEpoch: 0,
  partitionEpoch: 0,
  directories: [],
});

test('partitions stand in order, whatever the order of their records', () => {
  const indexes = fc.uniqueArray(fc.nat(20), { maxLength: 20 });
  fc.assert(
    fc.property(indexes, (order) => {
      const image = imageOf([topic('t', 1), ...order.map((index) => partition(1, index))]);
      const sorted = order.toSorted((a, b) => a - b);
      expect(image.topic('t')?.partitions.map(({ index }) => index)).toEqual(sorted);
      for (const index of order) expect(image.partition(uuidOf(1), index)?.index).toBe(index);
    }),
  );
});

test('a change keeps what it does not name; a leader named anew begins an epoch', () => {
  const change = { type: 'partitionChange', topicId: uuidOf(1), partitionId: 0 } as const;
  const image = imageOf([topic('t', 1), partition(1, 0), { ...change, isr: [1] }, { ...change, leader: 1 }]);
  expect(image.partition(uuidOf(1), 0)).toMatchObject({
    leader: 1,
    leaderEpoch: 1,
    partitionEpoch: 2,
    isr: [1],
    replicas: [1, 2],
  });
});

test('a transaction counts whole or not at all', () => {
  const begin: MetadataRecordInit = { type: 'beginTransaction' };
  const open = imageOf([begin, topic('t', 1), partition(1, 0)]);
  expect(open.topic('t')).toBeUndefined();
  const ended = imageOf([begin, topic('t', 1), partition(1, 0), { type: 'endTransaction' }]);
  expect(ended.topic('t')?.partitions).toHaveLength(1);
  const aborted = imageOf([begin, topic('t', 1), { type: 'abortTransaction' }, topic('u', 2)]);
  expect(aborted.topics().map(({ name }) => name)).toEqual(['u']);
});

test('a record about what is not there does nothing', () => {
  const image = imageOf([
    partition(9, 0),
    { type: 'partitionChange', topicId: uuidOf(9), partitionId: 0, leader: 1 },
    { type: 'removeTopic', topicId: uuidOf(9) },
    { type: 'unregisterBroker', brokerId: 9, brokerEpoch: 0 },
    { type: 'brokerRegistrationChange', brokerId: 9, brokerEpoch: 0, fenced: 1 },
    { type: 'config', resourceType: 2, resourceName: 't', name: 'a', value: null },
    { type: 'endTransaction' },
    { type: 'noOp' },
  ]);
  expect(image.topics()).toEqual([]);
  expect(image.brokers()).toEqual([]);
  expect(image.version).toBe(8);
});

test('a registration is fenced and unfenced, only in its own epoch', () => {
  const register: MetadataRecordInit = {
    type: 'registerBroker',
    brokerId: 1,
    incarnationId: uuidOf(1),
    brokerEpoch: 7,
    endPoints: [],
    features: [],
    rack: 'r',
  };
  const change = { type: 'brokerRegistrationChange', brokerId: 1 } as const;
  expect(imageOf([register]).broker(1)?.fenced).toBe(true);
  const unfenced = [register, { ...change, brokerEpoch: 7, fenced: -1 }];
  expect(imageOf(unfenced).broker(1)).toMatchObject({
    fenced: false,
    rack: 'r',
    inControlledShutdown: false,
  });
  expect(imageOf([...unfenced, { ...change, brokerEpoch: 6, fenced: 1 }]).broker(1)?.fenced).toBe(false);
  const stopping = imageOf([...unfenced, { ...change, brokerEpoch: 7, inControlledShutdown: 1 }]);
  expect(stopping.broker(1)).toMatchObject({ fenced: false, inControlledShutdown: true });
  expect(
    imageOf([register, { type: 'unregisterBroker', brokerId: 1, brokerEpoch: 7 }]).broker(1),
  ).toBeUndefined();
});

test('settings are kept by resource and removed by null; a feature at level 0 is gone', () => {
  const set = (resourceType: number, resourceName: string, name: string, value: string | null) =>
    ({ type: 'config', resourceType, resourceName, name, value }) as const;
  const image = imageOf([
    set(2, '4', 'a', '1'),
    set(4, '4', 'a', '2'),
    set(4, '', 'a', '3'),
    set(2, '4', 'b', '4'),
    set(2, '4', 'a', null),
    { type: 'featureLevel', name: 'f', featureLevel: 1 },
    { type: 'featureLevel', name: 'g', featureLevel: 1 },
    { type: 'featureLevel', name: 'f', featureLevel: 0 },
  ]);
  expect([...image.configs(2, '4')]).toEqual([['b', '4']]);
  expect([...image.configs(4, '4')]).toEqual([['a', '2']]);
  expect([...image.configs(4, '')]).toEqual([['a', '3']]);
  expect([...image.features.keys()]).toEqual(['g']);
});
