import type { Offset } from '../../model/ids.ts';

/** What a member says of a record, as it is sent. A gap is where no record is. */
export const Said = { GAP: 0, ACCEPT: 1, RELEASE: 2, REJECT: 3, RENEW: 4 } as const;

/** Not sent: nothing was said yet. */
const OPEN = 255;
/** Not sent: it is with the broker. */
const SENT = 254;

export interface AcknowledgementBatch {
  firstOffset: Offset;
  lastOffset: Offset;
  acknowledgeTypes: number[];
}

/** Neighbouring records that were given to a member at once, and what it says of each. */
export class Delivery {
  readonly topic: string;
  readonly partition: number;
  readonly firstOffset: Offset;
  readonly lastOffset: Offset;
  readonly deliveryCount: number;
  /** By offset: first where no record is, which goes without saying. */
  readonly #said: Uint8Array;
  /** How many were said, and not sent. */
  #unsent: number;
  #left: number;
  readonly #rang: () => void;

  /** @param rang called when something is said that is to be sent. */
  constructor(
    at: { topic: string; partition: number },
    range: { firstOffset: Offset; lastOffset: Offset; deliveryCount: number },
    rang: () => void,
  ) {
    this.topic = at.topic;
    this.partition = at.partition;
    this.firstOffset = range.firstOffset;
    this.lastOffset = range.lastOffset;
    this.deliveryCount = range.deliveryCount;
    this.#left = range.lastOffset - range.firstOffset + 1;
    this.#said = new Uint8Array(this.#left);
    this.#unsent = this.#left;
    this.#rang = rang;
  }

  /** There is a record. */
  open(offset: Offset): void {
    const at = offset - this.firstOffset;
    if (this.#said[at] !== Said.GAP) return;
    this.#said[at] = OPEN;
    this.#unsent--;
  }

  isOpen(offset: Offset): boolean {
    return this.#said[offset - this.firstOffset] === OPEN;
  }

  /** The first word counts. */
  say(offset: Offset, type: number): void {
    const at = offset - this.firstOffset;
    if (this.#said[at] !== OPEN) return;
    this.#said[at] = type;
    this.#unsent++;
    this.#rang();
  }

  get unsent(): number {
    return this.#unsent;
  }

  /** Nothing is left to be said. */
  get isOver(): boolean {
    return this.#left === 0;
  }

  /** What was said since the last time, neighbours together. */
  take(): AcknowledgementBatch[] {
    const batches: AcknowledgementBatch[] = [];
    if (this.#unsent === 0) return batches;
    let last: AcknowledgementBatch | undefined;
    for (let at = 0; at < this.#said.length; at++) {
      const type = this.#said[at] ?? SENT;
      if (type === OPEN || type === SENT) continue;
      const offset = this.firstOffset + at;
      this.#said[at] = SENT;
      this.#left--;
      if (last?.lastOffset === offset - 1 && last.acknowledgeTypes[0] === type) last.lastOffset = offset;
      else batches.push((last = { firstOffset: offset, lastOffset: offset, acknowledgeTypes: [type] }));
    }
    this.#unsent = 0;
    return batches;
  }
}
