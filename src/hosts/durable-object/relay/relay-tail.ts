import type { Offset } from '../../../model/ids.ts';
import { encodeFrame } from '../frames.ts';
import type { RecordsFrame } from './frames.ts';
import { joined, sizeOf } from './records.ts';

/** So much is kept for those who are a little behind. */
const TAIL_MAX_BYTES = 1024 * 1024;

type Message = Uint8Array<ArrayBuffer>;

/** The end of a partition, as its leader has handed it over. */
export class RelayTail {
  #frames: RecordsFrame[] = [];
  #sizeBytes = 0;
  /** By where they begin: all of them end where this does. */
  readonly #messages = new Map<Offset, Message | undefined>();

  add(frame: RecordsFrame): void {
    this.#messages.clear();
    this.#frames.push(frame);
    this.#sizeBytes += sizeOf(frame);
    while (this.#sizeBytes > TAIL_MAX_BYTES && this.#frames.length > 1) {
      const gone = this.#frames.shift();
      if (gone !== undefined) this.#sizeBytes -= sizeOf(gone);
    }
  }

  clear(): void {
    this.#frames = [];
    this.#sizeBytes = 0;
    this.#messages.clear();
  }

  /**
   * All that follows `offset` as one message, which whoever stands there is sent; undefined where that is gone, or was
   * never here.
   */
  messageFrom(offset: Offset): Message | undefined {
    if (!this.#messages.has(offset)) this.#messages.set(offset, this.#encode(offset));
    return this.#messages.get(offset);
  }

  #encode(offset: Offset): Message | undefined {
    const first = this.#frames.findIndex(({ from, to }) => from <= offset && offset < to);
    const frames = first < 0 ? [] : this.#frames.slice(first);
    const [begin, end, partition] = [frames[0], frames.at(-1), joined(frames)];
    if (begin === undefined || end === undefined || partition === undefined) return undefined;
    return encodeFrame({ type: 'records', from: begin.from, to: end.to, partition });
  }
}
