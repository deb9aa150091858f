import type { Millis } from '../../../model/ids.ts';
import { Anomalies, type Anomaly, type Kind, isBad } from './anomaly.ts';
import { checkCycles } from './cycles.ts';
import type { History } from './history.ts';
import { checkOrder } from './order.ts';
import { checkProcessing, checkValues } from './values.ts';
import { VersionOrder } from './versions.ts';

export interface Verdict {
  bad: readonly Anomaly[];
  allowed: readonly Anomaly[];
  /** How many of each kind there are: of many the first ones are told. */
  counts: ReadonlyMap<Kind, number>;
  /** The longest time from an acknowledgement to the first time anyone read what was acknowledged. */
  lagMs: Millis;
}

/** What Jepsen's Kafka workload would say of a history. As there, nobody looks for cycles with anti-dependencies. */
export function check(history: History): Verdict {
  const anomalies = new Anomalies();
  const order = new VersionOrder(history, anomalies);
  checkValues(order, anomalies);
  checkProcessing(history, order, anomalies);
  checkOrder(history, order, anomalies);
  checkCycles(history, order, anomalies);
  return {
    bad: anomalies.all.filter(isBad),
    allowed: anomalies.all.filter((anomaly) => !isBad(anomaly)),
    counts: anomalies.counts,
    lagMs: lagOf(order),
  };
}

function lagOf(order: VersionOrder): Millis {
  let longest = 0;
  for (const { writer, readers } of order.all()) {
    if (writer?.outcome !== 'ok' || readers.size === 0) continue;
    let firstMs = Infinity;
    for (const { endedAtMs } of readers) firstMs = Math.min(firstMs, endedAtMs);
    longest = Math.max(longest, firstMs - writer.endedAtMs);
  }
  return longest;
}
