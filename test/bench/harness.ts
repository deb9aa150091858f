/**
 * Measuring on a machine that does other things too: cases take turns in short rounds of one process, so that what
 * disturbs one disturbs all, and what counts is the median over rounds of the ratio to a named peer.
 */
export interface Figure {
  bench: string;
  value: number;
  unit: string;
  /** What `ratio` compares with: how many times better than it we are. */
  peer?: string;
  ratio?: number;
  /** What `--check` takes. */
  bar?: Bar;
}

/** Least value, greatest value, least ratio. */
export interface Bar {
  value?: number;
  atMost?: number;
  ratio?: number;
}

/** Seconds a call, one for each round, by case. */
export type Timings<Name extends string> = Record<Name, number[]>;

const ROUNDS = 21;
const ROUND_SECONDS = 0.002;
const WARM_UP_SECONDS = 0.05;

const all: Figure[] = [];

/** Prints a figure as one line of JSON. */
export function report(figure: Figure): void {
  all.push(figure);
  console.log(
    JSON.stringify(figure, (_, value: unknown) => (typeof value === 'number' ? rounded(value) : value)),
  );
}

function misses({ value, ratio = Infinity, bar = {} }: Figure): boolean {
  return (
    value < (bar.value ?? -Infinity) || value > (bar.atMost ?? Infinity) || ratio < (bar.ratio ?? -Infinity)
  );
}

export function figures(): readonly Figure[] {
  return all;
}

/** Figures so far that miss their bar. */
export function belowBar(): readonly Figure[] {
  return all.filter(misses);
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** The least that so much of them, a ratio, is not above. */
export function percentile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(Math.ceil(sorted.length * part) - 1, 0)] ?? Number.NaN;
}

/** Times `cases` in turn, each round beginning with another one. A case may return a promise: it is awaited. */
export async function interleave<Name extends string>(
  cases: Record<Name, () => unknown>,
  rounds = ROUNDS,
): Promise<Timings<Name>> {
  const names = Object.keys(cases) as Name[];
  const timings = Object.fromEntries(names.map((name) => [name, [] as number[]])) as Timings<Name>;
  const calls = new Map<Name, number>();
  for (const name of names) calls.set(name, await callsARound(cases[name]));
  for (let round = 0; round < rounds; round++) {
    for (let turn = 0; turn < names.length; turn++) {
      const name = names[(turn + round) % names.length]!;
      timings[name].push(await secondsACall(cases[name], calls.get(name)!));
    }
  }
  return timings;
}

/** How many times faster than `peer` `ours` is: the median over rounds. */
export function ratio<Name extends string>(timings: Timings<Name>, ours: Name, peer: Name): number {
  return median(timings[ours].map((seconds, round) => timings[peer][round]! / seconds));
}

/** The same of the best round of each: what either can do on a machine that does other things meanwhile. */
export function bestRatio<Name extends string>(timings: Timings<Name>, ours: Name, peer: Name): number {
  return Math.min(...timings[peer]) / Math.min(...timings[ours]);
}

/** Warms `run` up and finds how often to call it in a round. */
async function callsARound(run: () => unknown): Promise<number> {
  let calls = 1;
  let seconds = await secondsACall(run, 1);
  for (let total = seconds; total < WARM_UP_SECONDS; total += seconds * calls) {
    calls = Math.min(2 * calls, Math.ceil(WARM_UP_SECONDS / 4 / seconds));
    seconds = await secondsACall(run, calls);
  }
  return Math.max(1, Math.ceil(ROUND_SECONDS / seconds));
}

async function secondsACall(run: () => unknown, calls: number): Promise<number> {
  const startedAt = performance.now();
  for (let call = 0; call < calls; call++) {
    const result = run();
    if (result instanceof Promise) await result;
  }
  return Math.max(performance.now() - startedAt, 1e-6) / 1000 / calls;
}

function rounded(value: number): number {
  return Number(value.toPrecision(3));
}
