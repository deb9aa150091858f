import { adminGroups } from '../suite/admin-groups.ts';
import { overEachWay } from '../suite/reach.ts';

overEachWay(adminGroups);
