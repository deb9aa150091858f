import { overEachWay } from '../suite/reach.ts';
import { transactions } from '../suite/transactions.ts';

overEachWay(transactions);
