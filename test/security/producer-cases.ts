import { AclOperation as Op } from '../../src/security/acl.ts';
import { writeTxnMarkersApi } from '../../src/wire/apis/27-write-txn-markers.ts';
import { describeProducersApi } from '../../src/wire/apis/61-describe-producers.ts';
import type { RawClient } from '../gateway/raw-client.ts';
import { type Case, onCluster, onTopic } from './case.ts';

/** What is asked of producers and their transactions. */
export const producerCases = (client: () => RawClient, topic: { name: string }): Case[] => [
  {
    api: 'WriteTxnMarkers',
    ask: async () => {
      const topics = [{ name: topic.name, partitionIndexes: [0] }];
      const producer = { producerId: 1_000_000, producerEpoch: 0, coordinatorEpoch: 0 };
      const marker = { ...producer, transactionResult: false, topics, transactionVersion: 1 };
      const { markers } = await client().send(writeTxnMarkersApi, 1, { markers: [marker] });
      return markers[0]?.topics[0]?.partitions[0]?.errorCode;
    },
    denied: 31,
    needs: onCluster(Op.ALTER),
  },
  {
    api: 'DescribeProducers',
    ask: async (name) => {
      const topics = [{ name, partitionIndexes: [0] }];
      const answer = await client().send(describeProducersApi, 0, { topics });
      return answer.topics[0]?.partitions[0]?.errorCode;
    },
    denied: 29,
    needs: onTopic(Op.READ),
    hides: true,
  },
];
