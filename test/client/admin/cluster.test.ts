import { adminCluster } from '../suite/admin-cluster.ts';
import { overEachWay } from '../suite/reach.ts';

overEachWay(adminCluster);
