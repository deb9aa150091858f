import { expect, test } from 'vitest';
import { ErrorCode } from '../../src/model/errors.ts';
import { Cluster, topicOf } from './cluster.ts';

const staticConfigs = { 'milena.partitions.max': '5', 'offsets.topic.num.partitions': '50' };
const codesOf = (results: readonly { errorCode: number }[]) => results.map(({ errorCode }) => errorCode);

test('there are no more partitions than may be, whichever request asks for them', () => {
  const cluster = new Cluster({ staticConfigs });
  const asked = ['a', 'b', 'c'].map((name) => topicOf(name, { numPartitions: 2 }));
  expect(codesOf(cluster.create(asked))).toEqual([0, 0, ErrorCode.POLICY_VIOLATION]);
  const internal = topicOf('__consumer_offsets', { numPartitions: -1, replicationFactor: -1 });
  expect(codesOf(cluster.create([internal]))).toEqual([0]);
  const grow = (count: number) => codesOf(cluster.grow([{ name: 'a', count, assignments: null }]));
  expect(grow(4)).toEqual([ErrorCode.POLICY_VIOLATION]);
  expect(grow(3)).toEqual([0]);
});

test('without the setting there is no bound', () => {
  const [result] = new Cluster().create([topicOf('many', { numPartitions: 5_000 })]);
  expect(result?.errorCode).toBe(0);
});
