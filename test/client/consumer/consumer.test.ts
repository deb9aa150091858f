import { consuming } from '../suite/consuming.ts';
import { overEachWay } from '../suite/reach.ts';

overEachWay(consuming);
