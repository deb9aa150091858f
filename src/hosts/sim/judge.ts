import type { Kind } from './anomalies/anomaly.ts';
import { check } from './anomalies/check.ts';
import type { History } from './anomalies/history.ts';
import { Broken, type Invariant } from './broken.ts';

/** Which promise is broken where there is such an anomaly. */
const BROKEN_BY: Readonly<Partial<Record<Kind, Invariant>>> = {
  'lost-write': 'I1',
  unseen: 'I1',
  'inconsistent-offsets': 'I2',
  duplicate: 'I3',
  'nonmonotonic-send': 'I3',
  'int-nonmonotonic-send': 'I3',
  'poll-skip': 'I5',
  'nonmonotonic-poll': 'I5',
  'int-poll-skip': 'I5',
  'int-nonmonotonic-poll': 'I5',
  G1a: 'I6',
  'precommitted-read': 'I6',
  G1c: 'I7',
  'G1c-process': 'I7',
  'G1c-realtime': 'I7',
  'processed twice': 'I7',
  unprocessed: 'I7',
  'never-sent': 'I18',
};

/** Holds what clients did and were told against what must not be. @throws Broken */
export function judge(history: History): void {
  const { bad } = check(history);
  const [first] = bad;
  if (first === undefined) return;
  const others = bad.length > 1 ? ` (and ${bad.length - 1} more)` : '';
  throw new Broken(BROKEN_BY[first.kind] ?? 'I17', `${first.kind}: ${first.what}${others}`);
}
