import type { Millis } from '../../model/ids.ts';
import type { SeededRandom } from './random.ts';

/** What may befall a node and its clients. */
export const FAULTS = [
  'kill',
  'power cut',
  'kill while starting',
  'slow disk',
  'failing disk',
  'full disk',
  'flipped bits',
  'cut connection',
  'half-open connection',
  'slow connection',
] as const;
export type FaultKind = (typeof FAULTS)[number];

export interface Fault {
  atMs: Millis;
  kind: FaultKind | 'restart';
  /** Of what does not happen in a moment. */
  lastsMs: Millis;
}

const RESTARTS = 2;

/** Each kind once, and `more` by chance, over `spanMs`; beside them restarts that are no fault. */
export function plan(random: SeededRandom, { spanMs, more }: { spanMs: Millis; more: number }): Fault[] {
  const kinds: Fault['kind'][] = [...FAULTS];
  for (let number = 0; number < more; number++) kinds.push(random.pick(FAULTS));
  for (let number = 0; number < RESTARTS; number++) kinds.push('restart');
  const faults = kinds.map((kind) => ({
    kind,
    atMs: random.between(1_500, spanMs),
    lastsMs: random.between(200, 2_500),
  }));
  return faults.sort((a, b) => a.atMs - b.atMs);
}
