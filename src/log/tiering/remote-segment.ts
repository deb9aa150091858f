import type { LeaderEpoch, Millis, Offset, Uuid } from '../../model/ids.ts';
import type { RemotePlace } from '../../ports/remote-storage.ts';

/** What becomes of a segment in remote storage, by Kafka's numbers (KIP-405). */
export const RemoteSegmentState = { copyStarted: 0, copyFinished: 1, deleteStarted: 2 } as const;

/** A segment that is in remote storage, or on its way there or out of it. */
export interface RemoteSegment extends RemotePlace {
  /** Of this one among all of its log. */
  id: number;
  state: number;
  /** When it came to its state. */
  sinceMs: Millis;
  /** Timestamp of its first batch. */
  firstTimestamp: Millis;
  /** Of its batches. */
  digest: number;
  /** Its batches are here, too: they are read here. */
  isLocal: boolean;
}

/**
 * No two attempts to copy a segment have the same key: what a replaced instance writes late harms nobody, and is
 * nobody's. @param attempt a random id.
 */
export function remoteKey(
  prefix: string,
  { epoch, baseOffset, attempt }: { epoch: LeaderEpoch; baseOffset: Offset; attempt: Uuid },
): string {
  return `${prefix}e${epoch}/${String(baseOffset).padStart(20, '0')}-${attempt}`;
}

/** Of all objects of a partition. */
export function remotePrefix(cluster: string, topicId: Uuid, partition: number): string {
  return `${cluster}/${topicId}/${partition}/`;
}

/** Of the object that says where a partition's segments are; not among them. */
export function placesKey(cluster: string, topicId: Uuid, partition: number): string {
  return `${cluster}/places/${topicId}/${partition}`;
}

/** Nothing but what a reader has to know. */
export function placeOf({
  key,
  baseOffset,
  nextOffset,
  sizeBytes,
  footerBytes,
  maxTimestamp,
}: RemotePlace): RemotePlace {
  return { key, baseOffset, nextOffset, sizeBytes, footerBytes, maxTimestamp };
}
