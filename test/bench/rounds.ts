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

/**
 * Rounds in which the host took no more than in the quietest `count` of them: in others it is the host that is
 * measured. There are more than `count` when many are alike, as they are short beside a tick.
 */
export function undisturbed(rounds: readonly Round[], count: number): Round[] {
  const sorted = rounds.map(({ stolenTicks }) => stolenTicks).toSorted((a, b) => a - b);
  const most = sorted[count - 1]!;
  return rounds.filter(({ stolenTicks }) => stolenTicks <= most);
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
