import type { BrokerId } from '../model/ids.ts';
import type { MetadataImage } from './image.ts';
import {
  GROUP_VERSION_FEATURE,
  METADATA_VERSION,
  METADATA_VERSION_FEATURE,
  SHARE_VERSION_FEATURE,
  TRANSACTION_VERSION_FEATURE,
} from './registration.ts';

/**
 * The highest level of each feature in Kafka 4.3: below it, what the log holds is read or may be read over. A level is
 * not a promise to serve the feature.
 */
const READABLE_LEVELS: ReadonlyMap<string, number> = new Map([
  [METADATA_VERSION_FEATURE, METADATA_VERSION],
  ['eligible.leader.replicas.version', 1],
  [GROUP_VERSION_FEATURE, 1],
  ['kraft.version', 1],
  [SHARE_VERSION_FEATURE, 1],
  ['streams.version', 1],
  [TRANSACTION_VERSION_FEATURE, 2],
]);

/** What a cluster counts on and we would silently not do, by the type of the records that say it. */
const NOT_SERVED: ReadonlyMap<number, string> = new Map([[10, 'delegation tokens']]);

/**
 * Records that say nothing to a cluster of one: fencing of old, what takes things of `NOT_SERVED` away, the state of a
 * migration from ZooKeeper, cleared lists of eligible replicas, and who is a controller.
 */
const READ_OVER: ReadonlySet<number> = new Set([7, 8, 21, 26, 27, 28, 29]);

/**
 * Why a node of its own cannot serve what the metadata log says; undefined when it can.
 * @param unread types of records that could not be read.
 */
export function whyNotServable(
  image: MetadataImage,
  { nodeId, unread }: { nodeId: BrokerId; unread: Iterable<number> },
): string | undefined {
  for (const [name, level] of image.features) {
    const readable = READABLE_LEVELS.get(name) ?? 0;
    if (level > readable)
      return `a newer Kafka wrote it: ${name} is at level ${level}, and ${readable} is the last this version reads`;
  }
  for (const type of unread) {
    if (READ_OVER.has(type)) continue;
    const what = NOT_SERVED.get(type);
    if (what === undefined)
      return `it holds metadata records of type ${type} in a form this version cannot read`;
    return `it holds ${what}, which this version would not keep to`;
  }
  const others = image.brokers().filter(({ id }) => id !== nodeId);
  if (others.length === 0) return undefined;
  const ids = others.map(({ id }) => id).join(', ');
  return `it is one of several: brokers ${ids} are registered too, and hold what this one may not have`;
}
