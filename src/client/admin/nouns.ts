import { type AdminParts, Asking } from './asking.ts';
import { AclsAdmin } from './acls.ts';
import { ClusterAdmin } from './cluster-admin.ts';
import { ConfigsAdmin } from './configs.ts';
import { FeaturesAdmin } from './features.ts';
import { GroupsAdmin } from './groups.ts';
import { OffsetFinder } from './offset-finder.ts';
import { OffsetsAdmin } from './offsets.ts';
import { QuotasAdmin } from './quotas.ts';
import { RecordsAdmin } from './records.ts';
import { TopicsAdmin } from './topics.ts';
import { TransactionsAdmin } from './transactions.ts';
import { UsersAdmin } from './users.ts';

/** What can be asked for and changed. */
export interface Nouns {
  readonly topics: TopicsAdmin;
  readonly configs: ConfigsAdmin;
  readonly groups: GroupsAdmin;
  readonly offsets: OffsetsAdmin;
  readonly records: RecordsAdmin;
  readonly cluster: ClusterAdmin;
  readonly features: FeaturesAdmin;
  readonly users: UsersAdmin;
  readonly acls: AclsAdmin;
  readonly quotas: QuotasAdmin;
  readonly transactions: TransactionsAdmin;
}

export function nounsOf(parts: AdminParts): Nouns {
  const asking = new Asking(parts);
  const configs = new ConfigsAdmin(asking);
  const finder = new OffsetFinder(asking);
  const topics = new TopicsAdmin(asking, configs);
  return {
    topics,
    configs,
    groups: new GroupsAdmin(asking, finder),
    offsets: new OffsetsAdmin(asking, finder),
    records: new RecordsAdmin(asking, finder),
    cluster: new ClusterAdmin(asking),
    features: new FeaturesAdmin(asking),
    users: new UsersAdmin(asking, parts.webCrypto),
    acls: new AclsAdmin(asking),
    quotas: new QuotasAdmin(asking),
    transactions: new TransactionsAdmin(asking, topics, finder),
  };
}
