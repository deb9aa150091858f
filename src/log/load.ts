import type { Kernels } from '../kernels/kernels.ts';
import type { AbortedTransaction } from '../model/aborted.ts';
import type { Millis, Offset } from '../model/ids.ts';
import { readAgain } from '../ports/read-again.ts';
import type { LogExtent, LogName, LogStore } from '../ports/log-store.ts';
import { BatchHeader, forEachBatch } from '../records/header.ts';
import { ActiveSegment } from './active-segment.ts';
import type { LogConfig } from './config.ts';
import { EpochCache, EPOCHS_NAME } from './epochs.ts';
import { decodeSnapshot } from './producer-snapshot.ts';
import { ProducerStates } from './producers.ts';
import { snapshotName, snapshotOffset, Snapshots } from './snapshots.ts';

const REPLAY_CHUNK_BYTES = 1024 * 1024;

export interface LoadParts {
  store: LogStore;
  name: LogName;
  kernels: Kernels;
  config: () => LogConfig;
  /** Told of what is damaged beside the log, and made anew from it. */
  onWarning?: (message: string) => void;
}

export interface LoadedLog {
  extent: LogExtent;
  epochs: EpochCache;
  producers: ProducerStates;
  snapshots: Snapshots;
  segment: ActiveSegment;
}

/** Opens a log and brings what is kept beside it in line with the batches that survived. */
export async function loadLog(parts: LoadParts, nowMs: Millis): Promise<LoadedLog> {
  const { store } = parts;
  const { log } = parts.name;
  const extent = await store.open(log);
  const offsets = (await store.names(log)).map(snapshotOffset).filter((offset) => offset !== undefined);
  const snapshots = new Snapshots(log, offsets, store.replayMaxBytes);
  const outlived = snapshots.dropAbove(extent.logEndOffset);
  if (outlived.length > 0) await store.commit(outlived);

  const epochs = await loadEpochs(parts, extent);
  const range = { start: extent.logStartOffset, end: extent.logEndOffset };
  const rebuilt = await rebuildProducers(parts, snapshots, range, extent.abortedMissingFrom);
  const { producers } = rebuilt;
  await correctAborted(parts, rebuilt);
  producers.seenBeforeLoad(nowMs, parts.config().producerIdExpirationMs);
  const segment = ActiveSegment.before(log, extent.logEndOffset, store.segments(log));
  return { extent, epochs, producers, snapshots, segment };
}

/** What the batches from `fromOffset` on, and a snapshot there, say. */
interface Rebuilt {
  producers: ProducerStates;
  fromOffset: Offset;
  /** With a marker at or above `fromOffset`, in the order of their markers. */
  aborted: AbortedTransaction[];
}

/**
 * Producer state at `range.end`: the newest readable snapshot in the range, and the batches after that. One from below
 * the start is not used, by Kafka neither: who has written in between would be known as they were before.
 * @param newestUsable snapshots above it are passed over, so that what happened since is seen.
 */
export async function rebuildProducers(
  parts: LoadParts,
  snapshots: Snapshots,
  range: { start: Offset; end: Offset },
  newestUsable: Offset = range.end,
): Promise<Rebuilt> {
  let producers = new ProducerStates();
  let fromOffset = range.start;
  const usable = snapshots.offsets.filter((at) => at >= range.start && at <= newestUsable);
  for (const offset of usable.toReversed()) {
    const name = snapshotName(offset);
    const stored = await readValue(parts, name, (bytes) => decodeSnapshot(bytes, parts.kernels));
    if (stored === 'damaged') await parts.store.commit([snapshots.drop(offset)]);
    if (stored === 'damaged' || stored === undefined) continue;
    producers = stored;
    fromOffset = offset;
    break;
  }
  const aborted: AbortedTransaction[] = [];
  await forEachStored(parts, { fromOffset, endOffset: range.end }, (batch) => {
    const ended = producers.update(batch, parts.kernels);
    if (ended?.isAborted) {
      const { isAborted: _, ...transaction } = ended;
      aborted.push(transaction);
    }
    snapshots.appended(batch.sizeBytes);
  });
  return { producers, fromOffset, aborted };
}

/** A crash may have taken what was written last of the index of aborted transactions: the batches say it again. */
async function correctAborted({ store, name }: LoadParts, { fromOffset, aborted }: Rebuilt): Promise<void> {
  const { log } = name;
  const known = store.aborted(log, { fromOffset, endOffset: Infinity });
  if (JSON.stringify(known) === JSON.stringify(aborted)) return;
  await store.commit([{ type: 'aborted', log, fromOffset, transactions: aborted }]);
}

/**
 * Where the log ends once every batch that reaches `offset` is gone: the start of the batch that holds it.
 */
export async function batchStartAt(parts: LoadParts, offset: Offset): Promise<Offset> {
  const bytes = await parts.store.read(parts.name.log, {
    fromOffset: offset,
    endOffset: Infinity,
    maxBytes: 1,
  });
  return bytes.length === 0 ? offset : Math.min(offset, new BatchHeader(bytes).baseOffset);
}

/**
 * The checkpoint is written before the batches it speaks of, but without flushes a power cut may take it and leave
 * them: what it lacks is read off the batches, all of it when it cannot be read.
 */
async function loadEpochs(parts: LoadParts, extent: LogExtent): Promise<EpochCache> {
  const stored = await readValue(parts, EPOCHS_NAME, (bytes) => EpochCache.decode(bytes));
  const epochs = stored === 'damaged' || stored === undefined ? new EpochCache() : stored;
  // An epoch may have begun at the log end and written nothing yet.
  epochs.truncateFromEnd(extent.logEndOffset + 1);
  epochs.truncateFromStart(extent.logStartOffset);
  if ((await newestEpoch(parts, extent)) <= epochs.latest) return epochs;
  const fromOffset = Math.max(epochs.entries.at(-1)?.startOffset ?? 0, extent.logStartOffset);
  await forEachStored(parts, { fromOffset, endOffset: extent.logEndOffset }, (batch) => {
    if (batch.partitionLeaderEpoch > epochs.latest)
      epochs.assign(batch.partitionLeaderEpoch, batch.baseOffset);
  });
  return epochs;
}

/** What a value beside the log says, undefined when it is not there. Warns of a damaged one. */
async function readValue<T>(
  { store, name, onWarning }: LoadParts,
  file: string,
  decode: (bytes: Uint8Array) => T | undefined,
): Promise<T | 'damaged' | undefined> {
  const found = await readAgain(async () => {
    const bytes = await store.get(name.log, file);
    return bytes ? decode(bytes) : 'absent';
  });
  if (found === 'absent') return undefined;
  if (found !== undefined) return found;
  onWarning?.(`${name.topic}-${name.partition}: ${file} is damaged: what it says is made anew from the log`);
  return 'damaged';
}

/** Of the last batch, -1 when there is none. */
async function newestEpoch({ store, name }: LoadParts, extent: LogExtent): Promise<number> {
  const fromOffset = extent.logEndOffset - 1;
  if (fromOffset < extent.logStartOffset) return -1;
  const bytes = await store.read(name.log, { fromOffset, endOffset: Infinity, maxBytes: 1 });
  return bytes.length === 0 ? -1 : new BatchHeader(bytes).partitionLeaderEpoch;
}

async function forEachStored(
  { store, name }: LoadParts,
  range: { fromOffset: Offset; endOffset: Offset },
  visit: (batch: BatchHeader) => void,
): Promise<void> {
  let fromOffset = range.fromOffset;
  while (fromOffset < range.endOffset) {
    const { endOffset } = range;
    const chunk = { fromOffset, endOffset, maxBytes: REPLAY_CHUNK_BYTES, isVerified: true };
    const bytes = await store.read(name.log, chunk);
    const before = fromOffset;
    forEachBatch(bytes, (batch) => {
      visit(batch);
      fromOffset = batch.lastOffset + 1;
    });
    if (fromOffset === before) return;
  }
}
