import fc from 'fast-check';
import { expect, test } from 'vitest';
import { describeTopicPartitions } from '../../src/metadata/describe-topic-partitions.ts';
import type { DescribeTopicPartitionsRequest } from '../../src/wire/apis/75-describe-topic-partitions.ts';
import { Cluster, topicOf } from './cluster.ts';

const cluster = new Cluster();
const SIZES: Record<string, number> = { a: 3, b: 1, c: 5, d: 2 };
cluster.create(Object.entries(SIZES).map(([name, numPartitions]) => topicOf(name, { numPartitions })));

function page(request: Partial<DescribeTopicPartitionsRequest>, partitionsMax = 2_000) {
  const whole = { topics: [], responsePartitionLimit: 2_000, cursor: null, ...request };
  const { topics, nextCursor } = describeTopicPartitions(cluster.image, whole, { partitionsMax });
  const said = topics.map(({ name, errorCode, partitions }) =>
    errorCode === 0
      ? `${name}:${partitions.map((each) => each.partitionIndex).join('')}`
      : `${name}!${errorCode}`,
  );
  return { said, nextCursor };
}

const named = (...names: string[]) => names.map((name) => ({ name }));

test('all topics by name, or those asked for, with what is not there', () => {
  expect(page({})).toEqual({ said: ['a:012', 'b:0', 'c:01234', 'd:01'], nextCursor: null });
  expect(page({ topics: named('d', 'none', 'b', 'a b', 'd') }).said).toEqual([
    'a b!17',
    'b:0',
    'd:01',
    'none!3',
  ]);
});

test('says leader, replicas and topic id', () => {
  const whole = { topics: named('b'), responsePartitionLimit: 9, cursor: null };
  const { topics } = describeTopicPartitions(cluster.image, whole, { partitionsMax: 9 });
  expect(topics[0]).toMatchObject({ topicId: cluster.image.topic('b')?.id, isInternal: false });
  expect(topics[0]?.partitions[0]).toMatchObject({
    leaderId: 1,
    replicaNodes: [1],
    isrNodes: [1],
    eligibleLeaderReplicas: [],
    lastKnownElr: [],
    offlineReplicas: [],
  });
});

test('a page ends within a topic, or before the next', () => {
  expect(page({ responsePartitionLimit: 2 })).toEqual({
    said: ['a:01'],
    nextCursor: { topicName: 'a', partitionIndex: 2 },
  });
  expect(page({ responsePartitionLimit: 3 })).toEqual({
    said: ['a:012'],
    nextCursor: { topicName: 'b', partitionIndex: 0 },
  });
  expect(page({}, 1).nextCursor).toEqual({ topicName: 'a', partitionIndex: 1 });
  expect(page({ responsePartitionLimit: -7 }).said).toEqual(['a:0']);
});

test('a cursor may name a topic that is gone, but no partition before the first', () => {
  expect(page({ cursor: { topicName: 'bb', partitionIndex: 4 } }).said).toEqual(['c:01234', 'd:01']);
  expect(() => page({ cursor: { topicName: 'a', partitionIndex: -1 } })).toThrow(
    'cursor partition must be valid',
  );
});

test('pages of any size give each partition once', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 12 }), fc.boolean(), (responsePartitionLimit, isAll) => {
      const topics = isAll ? [] : named('c', 'a', 'd');
      const seen: string[] = [];
      for (let cursor: DescribeTopicPartitionsRequest['cursor'] = null; ;) {
        const { said, nextCursor } = page({ topics, responsePartitionLimit, cursor });
        for (const each of said) {
          const [name = '', partitions = ''] = each.split(':');
          for (const partition of partitions) seen.push(name + partition);
        }
        if (nextCursor === null) break;
        cursor = nextCursor;
      }
      const wanted = Object.entries(SIZES).filter(([name]) => isAll || name !== 'b');
      expect(seen).toEqual(
        wanted.flatMap(([name, size]) => Array.from({ length: size }, (_, at) => `${name}${at}`)),
      );
    }),
  );
});
