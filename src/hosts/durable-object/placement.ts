import { type MetadataImage, ResourceType } from '../../metadata/image.ts';
import { partitionOfShard, type ShardId } from '../../ports/shard-link.ts';
import { relayed } from './relay/names.ts';

/** Where a shard's object is, or is to be made, other than the cluster's. */
export interface Placement {
  /** Part of what names the object. */
  readonly jurisdiction?: string | undefined;
  /** Counts when the object is first used. */
  readonly locationHint?: string | undefined;
}

const CLUSTERS: Placement = {};

/** Of a partition, what its topic says; its relays are near their readers. All else is where the cluster is. */
export function placementOf(image: MetadataImage, object: ShardId): Placement {
  const of = relayed(object);
  if (of !== undefined) return { jurisdiction: placementOf(image, of.shard).jurisdiction };
  const topicId = partitionOfShard(object)?.topicId;
  const name = topicId === undefined ? undefined : image.topicById(topicId)?.name;
  if (name === undefined) return CLUSTERS;
  const configs = image.configs(ResourceType.TOPIC, name);
  const jurisdiction = configs.get('milena.jurisdiction')?.trim() ?? '';
  const locationHint = configs.get('milena.location.hint')?.trim() ?? '';
  return { ...(jurisdiction !== '' && { jurisdiction }), ...(locationHint !== '' && { locationHint }) };
}

/** What a namespace of objects does, as far as it is needed to reach one. */
export interface Namespace<Stub> {
  jurisdiction(jurisdiction: string): Namespace<Stub>;
  getByName(name: string, options?: { locationHint?: string }): Stub;
}

/** An object by its name, where it is to be. @param cluster counts for what the first does not say; '' says nothing. */
export function placed<Stub>(
  namespace: Namespace<Stub>,
  name: string,
  own: Placement,
  cluster: Placement = {},
): Stub {
  const jurisdiction = own.jurisdiction ?? (cluster.jurisdiction || undefined);
  const locationHint = own.locationHint ?? (cluster.locationHint || undefined);
  const objects = jurisdiction === undefined ? namespace : namespace.jurisdiction(jurisdiction);
  return objects.getByName(name, locationHint === undefined ? {} : { locationHint });
}

/** Whether objects can be held in one: workerd by itself does not know them. */
export function knowsJurisdictions(namespace: Namespace<unknown>): boolean {
  try {
    namespace.jurisdiction('eu');
    return true;
  } catch {
    return false;
  }
}
