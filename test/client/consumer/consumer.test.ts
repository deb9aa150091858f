import { consuming } from '../suite/consuming.ts';
import { overEachWay } from '../suite/reach.ts';
import { running } from '../suite/running.ts';

overEachWay(consuming);
overEachWay(running);
