import type { Uuid } from '../model/ids.ts';

export interface Topic {
  readonly name: string;
  readonly id: Uuid;
  readonly partitions: { readonly length: number };
}

/** What the coordinator has to know of the cluster: committed metadata, as the host's image of it says. */
export interface ClusterView {
  /** Equal versions mean that nothing has changed. */
  readonly version: number;
  topic(name: string): Topic | undefined;
  topicById(id: Uuid): Topic | undefined;
  /** Those that patterns may stand for: without Kafka's own, which a reader of all would write while it reads. */
  topicNames(): Iterable<string>;
  /** Settings of one group, in Kafka's names: `consumer.session.timeout.ms`. */
  groupConfigs(groupId: string): ReadonlyMap<string, string>;
}

const NO_CONFIGS: ReadonlyMap<string, string> = new Map();

export const NO_CLUSTER: ClusterView = {
  version: 0,
  topic: () => undefined,
  topicById: () => undefined,
  topicNames: () => [],
  groupConfigs: () => NO_CONFIGS,
};

/**
 * A number of 64 bits that is another one when a topic comes, goes, is made again or grows. Two lanes of FNV-1a; Kafka
 * takes another function, and a group that moves between the two counts one epoch more.
 */
export function metadataHash(cluster: ClusterView, names: Iterable<string>): bigint {
  let low = 0x811c9dc5;
  let high = 0x01000193;
  for (const name of [...names].sort()) {
    const topic = cluster.topic(name);
    if (topic === undefined) continue;
    const said = `${topic.id} ${topic.partitions.length} ${name}\n`;
    for (let i = 0; i < said.length; i++) {
      const unit = said.charCodeAt(i);
      low = Math.imul(low ^ unit, 0x01000193);
      high = Math.imul(high ^ unit, 0x0100018d);
    }
  }
  return BigInt.asIntN(64, (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0));
}
