import type { SeededRandom } from '../../../src/hosts/sim/random.ts';

/** What may befall objects, Workers and R2. */
export const OBJECT_FAULTS = [
  'evict',
  'replace',
  'sleep',
  'deploy',
  'alarm lost',
  'alarm twice',
  'cut connection',
  'half-open connection',
  'remote down',
  'lost answers',
  'slow storage',
] as const;
export type ObjectFaultKind = (typeof OBJECT_FAULTS)[number];

export interface ObjectFault {
  atMs: number;
  kind: ObjectFaultKind;
  /** Of what does not happen in a moment. */
  lastsMs: number;
}

/** Planted ones: a simulator that finds nothing proves nothing. */
export const OBJECT_BUGS = ['no-gate', 'lose-objects'] as const;
export type ObjectBug = (typeof OBJECT_BUGS)[number];

/** Each kind once, evictions often, and some more by chance. */
export function planObjects(random: SeededRandom, spanMs: number): ObjectFault[] {
  const kinds: ObjectFaultKind[] = [...OBJECT_FAULTS, 'evict', 'evict', 'evict', 'replace', 'replace'];
  for (let more = 0; more < 6; more++) kinds.push(random.pick(OBJECT_FAULTS));
  return kinds
    .map((kind) => ({
      kind,
      atMs: random.between(1_000, spanMs),
      lastsMs: random.between(300, kind === 'remote down' ? 8_000 : 2_500),
    }))
    .toSorted((a, b) => a.atMs - b.atMs);
}
