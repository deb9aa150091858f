import { imageRecords } from '../../metadata/snapshot.ts';
import { encodeMetadataRecord } from '../../metadata/records.ts';
import type { MetadataImage } from '../../metadata/image.ts';
import type { Offset } from '../../model/ids.ts';
import type { MachineRecord } from '../../model/machine.ts';
import type { MetadataFrame } from './frames.ts';
import type { Link, Links } from './links.ts';

/** Changes that are kept for gateways that come back; who is further behind is told all there is. */
const RECENT_MAX = 1_000;

/** Tells gateways what the metadata log says: all of it once, then each change as soon as it is committed. */
export class MetadataFeed {
  readonly #links: Links;
  readonly #image: MetadataImage;
  readonly #recent: MetadataFrame[] = [];
  /** Exclusive: what is committed. Undefined until the log is loaded. */
  #end: Offset | undefined;

  /** @param image committed metadata, kept current before this is told. */
  constructor(links: Links, image: MetadataImage) {
    this.#links = links;
    this.#image = image;
  }

  /** The log is loaded. */
  start(end: Offset): void {
    this.#end = end;
    for (const link of this.#links.all()) if (link.sentEnd !== end) this.#catchUp(link, end);
  }

  /** A gateway that has the log up to `link.sentEnd`. It hears something in any case: then it may begin. */
  opened(link: Link): void {
    if (this.#end !== undefined) this.#catchUp(link, this.#end);
  }

  committed(records: Iterable<MachineRecord>, end: Offset): void {
    const base = this.#end;
    if (base === undefined || end <= base) return;
    const values = Array.from(records, ({ value }) => value).filter((value) => value !== null);
    const frame: MetadataFrame = { type: 'metadata', base, end, values };
    this.#end = end;
    this.#recent.push(frame);
    if (this.#recent.length > RECENT_MAX) this.#recent.shift();
    for (const link of this.#links.all()) {
      if (link.sentEnd === base) this.#links.sendMetadata(link, frame);
      else this.#catchUp(link, end);
    }
  }

  #catchUp(link: Link, end: Offset): void {
    const first = this.#recent.findIndex(({ base }) => base === link.sentEnd);
    const missing = first < 0 ? [] : this.#recent.slice(first);
    if (link.sentEnd === end) missing.push({ type: 'metadata', base: end, end, values: [] });
    else if (missing.length === 0) missing.push({ type: 'metadata', base: 0, end, values: this.#all() });
    for (const frame of missing) this.#links.sendMetadata(link, frame);
  }

  #all(): Uint8Array[] {
    return Array.from(imageRecords(this.#image), encodeMetadataRecord);
  }
}
