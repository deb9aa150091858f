import { overEachWay } from '../suite/reach.ts';
import { sharing } from '../suite/sharing.ts';

overEachWay(sharing);
