import { BUGS, type Bug } from '../../src/hosts/sim/bugs.ts';
import { type SimulationOptions, type SimulationReport, simulate } from '../../src/hosts/sim/simulation.ts';
import { loadKernels } from '../../src/kernels/load.ts';

export type SeedOptions = Pick<SimulationOptions, 'isTraced' | 'wildEventsMax' | 'cast'> & {
  /** A planted one, by name. */
  bug?: string | undefined;
};

const NO_BUG: Bug = { seams: () => ({}), breaks: [] };

/** One seed in this process. @throws when there is no such bug. */
export async function runSeed(seed: number, options: SeedOptions = {}): Promise<SimulationReport> {
  const { bug, ...rest } = options;
  const kernels = await loadKernels();
  const turn = () => new Promise<void>((resolve) => setImmediate(resolve));
  const planted = bug === undefined ? NO_BUG : BUGS[bug];
  if (planted === undefined) throw new Error(`no bug ${bug}; there are ${Object.keys(BUGS).join(', ')}`);
  const { cast = 'all' } = planted;
  return simulate({ seed, kernels, turn, seams: planted.seams(), cast, ...rest });
}
