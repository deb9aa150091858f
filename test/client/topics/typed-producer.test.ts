import { typed } from '../suite/typed.ts';
import { overEachWay } from '../suite/reach.ts';

overEachWay(typed);
