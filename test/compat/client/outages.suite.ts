import { afterAll, beforeAll, describe } from 'vitest';
import { surviving } from '../../client/suite/surviving.ts';
import { connect } from '../../../src/hosts/node/connect.ts';
import { KafkaCluster } from '../kafka/cluster.ts';

/** Brokers of Apache Kafka that go and come back; in a cluster their partitions have other leaders meanwhile. */

const START_TIMEOUT_MS = 180_000;
/** Two of three have each record before it is acknowledged. */
const REPLICATED = {
  'offsets.topic.replication.factor': '3',
  'default.replication.factor': '3',
  'min.insync.replicas': '2',
};

describe.each([
  { brokers: 1, settings: {}, goes: [1, 1] },
  { brokers: 3, settings: REPLICATED, goes: [2, 3] },
])('$brokers of them', ({ brokers, settings, goes }) => {
  let kafka: KafkaCluster;
  beforeAll(async () => {
    kafka = await KafkaCluster.start(brokers, settings);
  }, START_TIMEOUT_MS);
  afterAll(() => kafka.close());

  const outage = (signal: 'SIGTERM' | 'SIGKILL') => async (nodeId: number) => {
    await kafka.stop(nodeId, signal);
    await kafka.revive(nodeId);
  };
  surviving({
    maker: 'Apache Kafka',
    get place() {
      return kafka;
    },
    replicas: brokers,
    outages: goes.flatMap((nodeId) => [() => outage('SIGTERM')(nodeId), () => outage('SIGKILL')(nodeId)]),
    connect: (options) => connect(`kafka://${kafka.addresses.join()}`, options),
  });
});
