import { adminConfigs } from '../suite/admin-configs.ts';
import { overEachWay } from '../suite/reach.ts';

overEachWay(adminConfigs);
