import type { Offset } from '../../../model/ids.ts';
import type { FetchedPartition } from '../../../wire/fetched.ts';

/** What a gateway tells a relay: it wants what follows `from`; it wants no more. */
export type ToRelay = { type: 'subscribe'; from: Offset } | { type: 'unsubscribe' };

/** What a fetch at `from` brings: batches up to `to`, exclusive. */
export interface RecordsFrame {
  type: 'records';
  from: Offset;
  to: Offset;
  partition: FetchedPartition;
}

/** `elsewhere`: what the gateway wants is not here, or not any more; its partition has it. */
export type FromRelay = RecordsFrame | { type: 'elsewhere' };

/** What a leader hands to a relay: the answer to a fetch at `from`. */
export interface Pushed {
  from: Offset;
  partition: FetchedPartition;
}

/** What a relay fetches next; it is the answer to what it was handed, and so there is never more than one under way. */
export interface NextFetch {
  from: Offset;
}
