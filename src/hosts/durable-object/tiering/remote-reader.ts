import { concat } from '../../../model/bytes.ts';
import type { Millis, Offset } from '../../../model/ids.ts';
import { type Footer, parseFooter, partsReaching, positionOf } from '../../../log/tiering/footer.ts';
import type { ReadRange } from '../../../ports/log-store.ts';
import type { RemotePlace, RemoteStorage } from '../../../ports/remote-storage.ts';
import { forEachBatch } from '../../../records/header.ts';
import { chooseBatches } from '../../../segments/choose-batches.ts';

/** Its object is gone: whoever has named it knows an old state of things. */
export class RemoteSegmentGone extends Error {
  override name = 'RemoteSegmentGone';
}

const EMPTY = new Uint8Array(0);
/** The first read brings what lies before the batch, too: as much as an index leaves open. */
const SLACK_BYTES = 80 * 1024;
/** Footers kept, of the segments that were read last. */
const FOOTERS_MAX = 64;

/** Reads segments of remote storage. What it remembers is data: gateways of one isolate share it. */
export class RemoteReader {
  readonly #footers = new Map<string, Footer>();

  /** As `LogStore.read`, of one segment: empty when it has nothing there. @throws {RemoteSegmentGone} */
  async read(storage: RemoteStorage, place: RemotePlace, range: ReadRange): Promise<Uint8Array> {
    const footer = await this.footer(storage, place);
    const { sizeBytes } = place;
    let position = positionOf(footer, range.fromOffset);
    let wantedBytes = range.maxBytes + SLACK_BYTES;
    while (position < sizeBytes) {
      const length = Math.min(wantedBytes, sizeBytes - position);
      const bytes = await this.#get(storage, place, { offset: position, length });
      const chosen = chooseBatches(bytes, sizeBytes - position, range);
      if (chosen === undefined) throw new Error(`${place.key} holds no batches at ${position}`);
      if (chosen.type === 'end') return EMPTY;
      if (chosen.type === 'batches') return bytes.subarray(chosen.start, chosen.end);
      position += chosen.skippedBytes;
      wantedBytes = Math.max(chosen.neededBytes, range.maxBytes);
    }
    return EMPTY;
  }

  /** As `LogStore.batchAt`, of one segment. @throws {RemoteSegmentGone} */
  async batchAt(
    storage: RemoteStorage,
    place: RemotePlace,
    { timestamp, fromOffset }: { timestamp: Millis; fromOffset: Offset },
  ): Promise<Offset | undefined> {
    const footer = await this.footer(storage, place);
    const { sizeBytes } = place;
    for (const { position, length } of partsReaching(footer, { timestamp, fromOffset, sizeBytes })) {
      const bytes = await this.#get(storage, place, { offset: position, length });
      let found: Offset | undefined;
      forEachBatch(bytes, ({ baseOffset, lastOffset, maxTimestamp }) => {
        if (lastOffset >= fromOffset && maxTimestamp >= timestamp) found ??= baseOffset;
      });
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /** All batches of a segment. @throws {RemoteSegmentGone} */
  whole(storage: RemoteStorage, place: RemotePlace): Promise<Uint8Array> {
    return this.#get(storage, place, { offset: 0, length: place.sizeBytes });
  }

  /** @throws {RemoteSegmentGone} */
  async footer(storage: RemoteStorage, place: RemotePlace): Promise<Footer> {
    const { key, sizeBytes, footerBytes } = place;
    const known = this.#footers.get(key);
    if (known !== undefined) return known;
    const bytes = await this.#get(storage, place, { offset: sizeBytes, length: footerBytes });
    const footer = parseFooter(place, bytes);
    this.#footers.set(key, footer);
    for (const old of this.#footers.keys()) {
      if (this.#footers.size <= FOOTERS_MAX) break;
      this.#footers.delete(old);
    }
    return footer;
  }

  async #get(
    storage: RemoteStorage,
    { key }: RemotePlace,
    range: { offset: number; length: number },
  ): Promise<Uint8Array> {
    const bytes = await storage.get(key, range);
    if (bytes === undefined) throw new RemoteSegmentGone(`${key} is not there`);
    if (bytes.length < range.length) throw new Error(`${key} is shorter than it was written`);
    return bytes;
  }
}

/** One segment's object, batches and footer. */
export function remoteObject(batches: Uint8Array, footer: Uint8Array): Uint8Array {
  return concat([batches, footer]);
}
