import { afterAll, beforeAll } from 'vitest';
import { connect } from '../../../src/hosts/node/connect.ts';
import { adminCluster } from '../../client/suite/admin-cluster.ts';
import { adminConfigs } from '../../client/suite/admin-configs.ts';
import { adminGroups } from '../../client/suite/admin-groups.ts';
import { adminOffsets } from '../../client/suite/admin-offsets.ts';
import { adminTransactions } from '../../client/suite/admin-transactions.ts';
import { adminTopics } from '../../client/suite/admin-topics.ts';
import { connecting } from '../../client/suite/connecting.ts';
import { consuming } from '../../client/suite/consuming.ts';
import { running } from '../../client/suite/running.ts';
import { latestOf } from '../../client/suite/latest.ts';
import { mixed } from '../../client/suite/mixed.ts';
import { producing } from '../../client/suite/producing.ts';
import { reading } from '../../client/suite/reading.ts';
import type { Reach } from '../../client/suite/reach.ts';
import { sharing } from '../../client/suite/sharing.ts';
import { transactions } from '../../client/suite/transactions.ts';
import { typed } from '../../client/suite/typed.ts';
import { writingInTransactions } from '../../client/suite/writing-in-transactions.ts';
import { KafkaCluster } from '../kafka/cluster.ts';

/** One broker of Apache Kafka: the client does with it what it does with ours. */

let kafka: KafkaCluster;
beforeAll(async () => {
  kafka = await KafkaCluster.start(1, { 'group.min.session.timeout.ms': '100' });
}, 180_000);
afterAll(() => kafka.close());

const reach: Reach = {
  maker: 'Apache Kafka',
  get place() {
    return kafka;
  },
  connect: (options) => connect(`kafka://${kafka.address}`, options),
};

connecting(reach);
producing(reach);
reading(reach);
transactions(reach);
writingInTransactions(reach);
typed(reach);
latestOf(reach);
consuming(reach);
running(reach);
sharing(reach);
mixed(reach);
adminCluster(reach);
adminTopics(reach);
adminConfigs(reach);
adminOffsets(reach);
adminTransactions(reach);
adminGroups(reach);
