import { adminTopics } from '../suite/admin-topics.ts';
import { overEachWay } from '../suite/reach.ts';

overEachWay(adminTopics);
