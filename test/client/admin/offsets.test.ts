import { adminOffsets } from '../suite/admin-offsets.ts';
import { overEachWay } from '../suite/reach.ts';

overEachWay(adminOffsets);
