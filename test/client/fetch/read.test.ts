import { reading } from '../suite/reading.ts';
import { overEachWay } from '../suite/reach.ts';

overEachWay(reading);
