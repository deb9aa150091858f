import { adminTransactions } from '../suite/admin-transactions.ts';
import { overEachWay } from '../suite/reach.ts';

overEachWay(adminTransactions);
