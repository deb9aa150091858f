import { adminCluster } from '../client/suite/admin-cluster.ts';
import { adminConfigs } from '../client/suite/admin-configs.ts';
import { adminGroups } from '../client/suite/admin-groups.ts';
import { adminOffsets } from '../client/suite/admin-offsets.ts';
import { adminTransactions } from '../client/suite/admin-transactions.ts';
import { adminTopics } from '../client/suite/admin-topics.ts';
import { connecting } from '../client/suite/connecting.ts';
import { consuming } from '../client/suite/consuming.ts';
import { latestOf } from '../client/suite/latest.ts';
import { mixed } from '../client/suite/mixed.ts';
import { producing } from '../client/suite/producing.ts';
import { reading } from '../client/suite/reading.ts';
import { sharing } from '../client/suite/sharing.ts';
import { transactions } from '../client/suite/transactions.ts';
import { typed } from '../client/suite/typed.ts';
import { reachEdge } from './place.ts';

/** What the client promises, it keeps against objects in workerd: the suite that runs over every way on Node. */
const reach = reachEdge();

for (const suite of [
  connecting,
  producing,
  reading,
  latestOf,
  typed,
  consuming,
  sharing,
  mixed,
  transactions,
  adminTopics,
  adminConfigs,
  adminOffsets,
  adminTransactions,
  adminGroups,
  adminCluster,
])
  suite(reach);
