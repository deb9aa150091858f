import { loadKernels } from '../../src/kernels/load.ts';
import { BUGS } from '../../src/hosts/sim/bugs.ts';
import { type SimulationOptions, type SimulationReport, simulate } from '../../src/hosts/sim/simulation.ts';

/** One seed in this process. @param bug a planted one, by name. */
export async function runSeed(
  seed: number,
  options: Pick<SimulationOptions, 'isTraced' | 'wildEventsMax'> & { bug?: string | undefined } = {},
): Promise<SimulationReport> {
  const { bug, ...rest } = options;
  const kernels = await loadKernels();
  const turn = () => new Promise<void>((resolve) => setImmediate(resolve));
  const seams = bug === undefined ? {} : BUGS[bug]?.();
  if (seams === undefined) throw new Error(`no bug ${bug}; there are ${Object.keys(BUGS).join(', ')}`);
  return simulate({ seed, kernels, turn, seams, ...rest });
}
