import { readFileSync } from 'node:fs';
import { type Figure, median, report } from './harness.ts';

/** One turn of a broker and one of its peer: what each moved a second. */
export interface Round {
  rate: number;
  peerRate: number;
  /** CPU time that the host of this virtual machine gave to others meanwhile: ticks of 10 ms, see proc_stat(5). */
  stolenTicks: number;
}

export async function oneRound(ours: () => Promise<number>, peer: () => Promise<number>): Promise<Round> {
  const before = stolenTicks();
  const rate = await ours();
  const peerRate = await peer();
  return { rate, peerRate, stolenTicks: stolenTicks() - before };
}

/** How much of what `work` says it has moved it moves a second. */
export async function perSecond(work: () => Promise<number>): Promise<number> {
  const startMs = performance.now();
  const moved = await work();
  return (moved * 1e3) / (performance.now() - startMs);
}

function stolenTicks(): number {
  const [all = ''] = readFileSync('/proc/stat', 'latin1').split('\n');
  return Number(all.split(/ +/)[8]);
}

/** The `count` rounds from which the host took least: in others it is the host that is measured. */
export function undisturbed(rounds: readonly Round[], count: number): Round[] {
  return rounds.toSorted((a, b) => a.stolenTicks - b.stolenTicks).slice(0, count);
}

/** The medians of `rounds`. */
export function reportRounds(
  { bench, ...more }: Omit<Figure, 'value' | 'ratio'>,
  rounds: readonly Round[],
): void {
  const value = median(rounds.map(({ rate }) => rate));
  const ratio = median(rounds.map(({ rate, peerRate }) => rate / peerRate));
  report({ bench, value, ...more, ratio });
}
