import {
  orphansOf,
  segmentsToCopy,
  segmentsToDelete,
  segmentsToLetGo,
  type ToCopy,
} from '../../../log/tiering/decide.ts';
import { buildFooter } from '../../../log/tiering/footer.ts';
import {
  placeOf,
  type RemoteSegment,
  remoteKey,
  RemoteSegmentState,
} from '../../../log/tiering/remote-segment.ts';
import type { PartitionLog } from '../../../log/partition-log.ts';
import type { LogConfig } from '../../../log/config.ts';
import type { LogKey, Millis } from '../../../model/ids.ts';
import type { Clock } from '../../../ports/clock.ts';
import type { Random } from '../../../ports/random.ts';
import type { RemoteStorage } from '../../../ports/remote-storage.ts';
import { batchesDigest } from './digest.ts';
import type { LogTiering } from './log-tiering.ts';
import { writePlaces } from './places-object.ts';
import { remoteObject } from './remote-reader.ts';

export interface TieringParts {
  storage: RemoteStorage;
  /** Of all segments of this partition. */
  prefix: string;
  /** Of what says where they are. */
  placesKey: string;
  store: { tiering(log: LogKey): LogTiering };
  /** The log, while it is open. */
  log: () => PartitionLog | undefined;
  config: () => LogConfig;
  clock: Clock;
  random: Random;
  onWarning: (message: string) => void;
}

const AGAIN_MIN_MS = 5_000;
const AGAIN_MAX_MS = 10 * 60_000;
const ORPHANS_AFTER_MS = 24 * 60 * 60_000;
/** Rows that go in one transaction. */
const LET_GO_AT_ONCE = 8;

interface Open {
  log: PartitionLog;
  tiering: LogTiering;
}

/** What a look came to: when the next is wanted, if at all. */
export interface Looked {
  againAtMs: Millis | undefined;
}

/**
 * Moves closed segments of one partition to remote storage. Each copy is written down before it is made, and its rows
 * go after it is: whatever ends in between, the next look goes on with what was written down. One look at a time.
 */
export class Tiering {
  readonly #parts: TieringParts;
  #looking: Promise<Looked> | undefined;
  #failures = 0;
  #orphansAtMs: Millis;
  /** What was written last of where segments are. */
  #told: string | undefined;
  /** Copies that this instance has begun; those of earlier ones may be there already. */
  readonly #ours = new Set<number>();

  constructor(parts: TieringParts) {
    this.#parts = parts;
    this.#orphansAtMs = parts.clock.now() + ORPHANS_AFTER_MS * parts.random.next();
  }

  /** Who asks while one is under way hears of that one. */
  look(): Promise<Looked> {
    this.#looking ??= this.#lookOnce().finally(() => {
      this.#looking = undefined;
    });
    return this.#looking;
  }

  async #lookOnce(): Promise<Looked> {
    const { clock, onWarning } = this.#parts;
    try {
      await this.#copyAll();
      this.#letGo();
      await this.#tell();
      await this.#deleteAll();
      await this.#deleteOrphans();
      this.#failures = 0;
      return { againAtMs: this.#nextDeletionMs() };
    } catch (error) {
      if (this.#failures++ === 0) onWarning(`cannot be moved to remote storage: ${String(error)}`);
      const delayMs = Math.min(AGAIN_MAX_MS, AGAIN_MIN_MS * 2 ** (this.#failures - 1));
      return { againAtMs: clock.now() + delayMs };
    }
  }

  /** Everything of the partition: its topic is deleted. @throws when remote storage cannot be reached. */
  async deleteEverything(): Promise<void> {
    const { storage, prefix, placesKey } = this.#parts;
    await storage.delete([placesKey]);
    for (;;) {
      const objects = await storage.list(prefix);
      if (objects.length === 0) return;
      await storage.delete(objects.map(({ key }) => key));
    }
  }

  /** Asked anew after each wait: the log may have been opened again. */
  #state(): Open | undefined {
    const { store, log: openLog } = this.#parts;
    const log = openLog();
    return log && { log, tiering: store.tiering(log.name.log) };
  }

  async #copyAll(): Promise<void> {
    for (;;) {
      const state = this.#state();
      const { remoteStorageEnable, remoteLogCopyDisable } = this.#parts.config();
      if (state === undefined || !remoteStorageEnable || remoteLogCopyDisable) return;
      const { log, tiering } = state;
      const [next] = segmentsToCopy(tiering.segments, tiering.remote, log.lastStableOffset);
      if (next === undefined) return;
      if (!(await this.#copy(next, state))) return;
      // What is copied makes room as soon as it can.
      this.#letGo();
    }
  }

  /** @returns whether something has changed: there may be more. */
  async #copy({ segment, begun }: ToCopy, { log, tiering }: Open): Promise<boolean> {
    const { clock } = this.#parts;
    const batches = await tiering.batchesOf(segment);
    if (batches === undefined || batches.length === 0) return false;
    const footer = buildFooter(batches, tiering.abortedIn(segment));
    const digest = batchesDigest([batches]);
    const isSame = begun?.digest === digest && begun.footerBytes === footer.length;
    if (begun !== undefined && !isSame) {
      this.#state()?.tiering.outdate(begun, clock.now());
      return true;
    }
    const sizes = { sizeBytes: batches.length, footerBytes: footer.length, digest };
    const copy = begun ?? this.#begin({ ...segment, ...sizes }, log);
    if (copy === undefined) return false;
    await this.#put(copy, () => remoteObject(batches, footer));
    return this.#state()?.tiering.finish(copy, clock.now()) !== undefined;
  }

  #begin(
    place: Pick<RemoteSegment, 'baseOffset' | 'nextOffset' | 'sizeBytes' | 'footerBytes' | 'digest'> &
      Pick<RemoteSegment, 'maxTimestamp' | 'firstTimestamp'>,
    log: PartitionLog,
  ): RemoteSegment | undefined {
    const { clock, random, prefix } = this.#parts;
    const { baseOffset, nextOffset, sizeBytes, footerBytes, digest, maxTimestamp, firstTimestamp } = place;
    const key = remoteKey(prefix, { epoch: log.latestEpoch, baseOffset, attempt: random.uuid() });
    const what = { baseOffset, nextOffset, sizeBytes, footerBytes, digest, maxTimestamp, firstTimestamp };
    const begun = this.#state()?.tiering.begin({ ...what, key, sinceMs: clock.now() });
    if (begun !== undefined) this.#ours.add(begun.id);
    return begun;
  }

  /** An answer that was lost does not matter: what is there under this key is this. */
  async #put(copy: RemoteSegment, bytes: () => Uint8Array): Promise<void> {
    const { storage } = this.#parts;
    const { id, key, sizeBytes, footerBytes } = copy;
    const isThere = async () => {
      const found = await storage.sizeOf(key);
      if (found !== undefined && found !== sizeBytes + footerBytes)
        throw new Error(`${key} has ${found} bytes, and ${sizeBytes + footerBytes} were written`);
      return found !== undefined;
    };
    if (!this.#ours.has(id) && (await isThere())) return;
    // From now on it may be there.
    this.#ours.delete(id);
    if ((await storage.put(key, bytes())) === 'exists') await isThere();
  }

  #letGo(): void {
    const state = this.#state();
    if (state === undefined) return;
    const { tiering } = state;
    const context = { config: this.#parts.config(), nowMs: this.#parts.clock.now() };
    const segments = segmentsToLetGo(tiering.segments, tiering.remote, context);
    for (let at = 0; at < segments.length; at += LET_GO_AT_ONCE)
      tiering.letGo(segments.slice(at, at + LET_GO_AT_ONCE));
  }

  /** Before objects go: whoever reads it is sent to none that is about to. */
  async #tell(): Promise<void> {
    const { storage, placesKey } = this.#parts;
    const log = this.#state()?.log;
    if (log === undefined) return;
    const { highWatermark, lastStableOffset, logStartOffset } = log;
    const places = log.remoteSegments.map(placeOf);
    const told = JSON.stringify([logStartOffset, places]);
    if (told === this.#told || (places.length === 0 && this.#told === undefined)) return;
    await writePlaces(storage, placesKey, { places, highWatermark, lastStableOffset, logStartOffset });
    this.#told = told;
  }

  async #deleteAll(): Promise<void> {
    const context = { config: this.#parts.config(), nowMs: this.#parts.clock.now() };
    const due = segmentsToDelete(this.#state()?.tiering.remote ?? [], context);
    if (due.length === 0) return;
    await this.#parts.storage.delete(due.map(({ key }) => key));
    const tiering = this.#state()?.tiering;
    for (const segment of due) tiering?.forget(segment);
  }

  async #deleteOrphans(): Promise<void> {
    const { clock, storage, prefix } = this.#parts;
    if (clock.now() < this.#orphansAtMs) return;
    for (let after: string | undefined; ;) {
      const objects = await storage.list(prefix, after);
      const tiering = this.#state()?.tiering;
      if (objects.length === 0 || tiering === undefined) break;
      const orphans = orphansOf(objects, tiering.remote, clock.now());
      if (orphans.length > 0) await storage.delete(orphans);
      after = objects.at(-1)?.key;
    }
    this.#orphansAtMs = clock.now() + ORPHANS_AFTER_MS;
  }

  #nextDeletionMs(): Millis | undefined {
    const { fileDeleteDelayMs } = this.#parts.config();
    const waiting = (this.#state()?.tiering.remote ?? []).filter(
      ({ state }) => state === RemoteSegmentState.deleteStarted,
    );
    const first = Math.min(...waiting.map(({ sinceMs }) => sinceMs + fileDeleteDelayMs));
    return first < Infinity ? first : undefined;
  }
}
