import { type Isolation, MAX_TIMESTAMP } from '../fetch/lookups.ts';
import { type Ago, EARLIEST, LATEST, type Time, timeOf } from '../fetch/position.ts';
import type { AdminOptions, Asking } from './asking.ts';
import type { ListedOffset, OffsetFinder, PartitionsOf } from './offset-finder.ts';

/**
 * `earliest`: the first record there is; `latest`: the end; `maxTimestamp`: the record with the highest timestamp; a
 * time: the first record that is not older.
 */
export type OffsetSpec = 'earliest' | 'latest' | 'maxTimestamp' | Ago | { readonly time: Time };

export interface ListOffsetsOptions extends AdminOptions {
  /** `latest` unless given. */
  at?: OffsetSpec;
  /** `read_committed` ends before the first transaction that is open. */
  isolation?: Isolation;
}

/** Where records are: `client.admin.offsets`. */
export class OffsetsAdmin {
  readonly #asking: Asking;
  readonly #finder: OffsetFinder;

  /** @internal */
  constructor(asking: Asking, finder: OffsetFinder) {
    this.#asking = asking;
    this.#finder = finder;
  }

  /**
   * Of all partitions of some topics, or of some partitions, in order.
   * @throws MilenaError UNKNOWN_TOPIC_OR_PARTITION; UNSUPPORTED_VERSION for `maxTimestamp` before Kafka 3.0.
   */
  async list(
    of: PartitionsOf,
    { at = 'latest', isolation, signal }: ListOffsetsOptions = {},
  ): Promise<ListedOffset[]> {
    const partitions = await this.#finder.partitionsOf(of, { signal });
    return this.#finder.at(partitions, this.#timestampOf(at), { isolation, signal });
  }

  #timestampOf(spec: OffsetSpec): number {
    if (spec === 'earliest') return EARLIEST;
    if (spec === 'latest') return LATEST;
    if (spec === 'maxTimestamp') return MAX_TIMESTAMP;
    return timeOf(typeof spec === 'string' ? spec : spec.time, this.#asking.nowMs());
  }
}
