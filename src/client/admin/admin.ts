import { type AdminParts, Asking } from './asking.ts';
import { ClusterAdmin } from './cluster-admin.ts';
import { ConfigsAdmin } from './configs.ts';
import { GroupsAdmin } from './groups.ts';
import { OffsetsAdmin } from './offsets.ts';
import { RecordsAdmin } from './records.ts';
import { TopicsAdmin } from './topics.ts';

/**
 * What is there, and changing it: `client.admin`. Each request goes to the broker it is for, and what may pass is tried
 * again within the client's `retryForMs`. What a broker does not serve is refused with UNSUPPORTED_VERSION.
 */
export class Admin {
  readonly topics: TopicsAdmin;
  readonly configs: ConfigsAdmin;
  readonly groups: GroupsAdmin;
  readonly offsets: OffsetsAdmin;
  readonly records: RecordsAdmin;
  readonly cluster: ClusterAdmin;

  constructor(parts: AdminParts) {
    const asking = new Asking(parts);
    this.configs = new ConfigsAdmin(asking);
    this.topics = new TopicsAdmin(asking, this.configs);
    this.offsets = new OffsetsAdmin(asking);
    this.groups = new GroupsAdmin(asking, this.offsets);
    this.records = new RecordsAdmin(asking, this.offsets);
    this.cluster = new ClusterAdmin(asking);
  }
}
