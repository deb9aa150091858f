import { type AdminParts, Asking } from './asking.ts';
import { ClusterAdmin } from './cluster-admin.ts';
import { ConfigsAdmin } from './configs.ts';
import { GroupsAdmin } from './groups.ts';
import { OffsetsAdmin } from './offsets.ts';
import { RecordsAdmin } from './records.ts';
import { TopicsAdmin } from './topics.ts';

/** What can be asked for and changed. */
export interface Nouns {
  readonly topics: TopicsAdmin;
  readonly configs: ConfigsAdmin;
  readonly groups: GroupsAdmin;
  readonly offsets: OffsetsAdmin;
  readonly records: RecordsAdmin;
  readonly cluster: ClusterAdmin;
}

export function nounsOf(parts: AdminParts): Nouns {
  const asking = new Asking(parts);
  const configs = new ConfigsAdmin(asking);
  const offsets = new OffsetsAdmin(asking);
  return {
    topics: new TopicsAdmin(asking, configs),
    configs,
    groups: new GroupsAdmin(asking, offsets),
    offsets,
    records: new RecordsAdmin(asking, offsets),
    cluster: new ClusterAdmin(asking),
  };
}
