import { Histogram } from '../../../model/histogram.ts';
import type { Millis } from '../../../model/ids.ts';
import type { ShardMeter } from '../../../shard/shard-spec.ts';

/** Milliseconds, which is all the clock tells. */
const COMMIT_BOUNDS_MS = [1, 2, 5, 10, 25, 50, 100, 250, 500, 1_000, 5_000];

interface Appended {
  records: number;
  bytes: number;
}

/** What the shards of this process have taken in. */
export class Meter implements ShardMeter {
  readonly total: Appended = { records: 0, bytes: 0 };
  /** By topic name; names of topics that are gone are forgotten when somebody looks. */
  readonly byTopic = new Map<string, Appended>();
  /** From handing writes to the store until they are durable. */
  readonly commitMs = new Histogram(COMMIT_BOUNDS_MS);

  appended(topic: string, { records, bytes }: Appended): void {
    let counts = this.byTopic.get(topic);
    if (counts === undefined) this.byTopic.set(topic, (counts = { records: 0, bytes: 0 }));
    counts.records += records;
    counts.bytes += bytes;
    this.total.records += records;
    this.total.bytes += bytes;
  }

  committed(tookMs: Millis): void {
    this.commitMs.add(Math.max(0, tookMs));
  }
}
