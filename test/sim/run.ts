import { BUGS } from '../../src/hosts/sim/bugs.ts';
import { type SimulationOptions, type SimulationReport, simulate } from '../../src/hosts/sim/simulation.ts';
import { loadKernels } from '../../src/kernels/load.ts';

export type SeedOptions = Pick<SimulationOptions, 'isTraced' | 'wildEventsMax'> & {
  /** A planted one, by name. */
  bug?: string | undefined;
};

/** One seed in this process. @throws when there is no such bug. */
export async function runSeed(seed: number, options: SeedOptions = {}): Promise<SimulationReport> {
  const { bug, ...rest } = options;
  const kernels = await loadKernels();
  const turn = () => new Promise<void>((resolve) => setImmediate(resolve));
  const seams = bug === undefined ? {} : BUGS[bug]?.seams();
  if (seams === undefined) throw new Error(`no bug ${bug}; there are ${Object.keys(BUGS).join(', ')}`);
  return simulate({ seed, kernels, turn, seams, ...rest });
}
