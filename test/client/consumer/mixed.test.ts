import { mixed } from '../suite/mixed.ts';
import { overEachWay } from '../suite/reach.ts';

overEachWay(mixed);
