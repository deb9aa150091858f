import { producing } from '../suite/producing.ts';
import { overEachWay } from '../suite/reach.ts';

overEachWay(producing);
