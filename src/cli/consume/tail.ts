import type { ConsumerRecord } from '../../client/fetch/consumer-record.ts';
import { titleOf, type TopicPartition } from '../../client/topic-partition.ts';
import type { Offset } from '../../model/ids.ts';
import { type Format } from './format.ts';
import { LineBuffer } from './line-buffer.ts';

/** What a reader says of a partition: see `Progress`. */
interface Progress {
  position: Offset;
  endOffset: Offset | undefined;
}

/** What a reader is asked here. */
export interface Watched {
  readonly assignment: readonly TopicPartition[];
  progress(of: TopicPartition): Progress | undefined;
}

interface Line {
  timestamp: number;
  partition: number;
  bytes: Uint8Array;
}

/** The newest records of all partitions, gathered while each of them is read from that many before its end. */
export class Tail {
  readonly #count: number;
  readonly #format: Format;
  #lines: Line[] = [];
  /** Where partitions ended when that was first heard. */
  readonly #ends = new Map<string, Offset>();

  constructor(count: number, format: Format) {
    this.#count = count;
    this.#format = format;
  }

  add(record: ConsumerRecord): void {
    const into = new LineBuffer();
    this.#format(record, into);
    // A copy of its own size: the buffer is as large as many lines.
    const { timestamp, partition } = record;
    this.#lines.push({ timestamp, partition, bytes: new Uint8Array(into.take()) });
    if (this.#lines.length > 2 * this.#count + SLACK) this.#cut();
  }

  /** Whether all partitions have been read to where they ended. */
  isWhole(reader: Watched): boolean {
    return (
      reader.assignment.length > 0 &&
      reader.assignment.every((one) => {
        const at = reader.progress(one);
        if (at?.endOffset === undefined) return false;
        const title = titleOf(one);
        const end = this.#ends.get(title) ?? at.endOffset;
        this.#ends.set(title, end);
        return at.position >= end;
      })
    );
  }

  /** Oldest first. */
  lines(): Uint8Array[] {
    this.#cut();
    return this.#lines.map(({ bytes }) => bytes);
  }

  /** A stable sort: of one time, the order in which they were read. */
  #cut(): void {
    this.#lines = this.#lines.sort((a, b) => a.timestamp - b.timestamp).slice(-this.#count);
  }
}

const SLACK = 1_000;
