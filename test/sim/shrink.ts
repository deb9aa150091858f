import type { SimulationReport } from '../../src/hosts/sim/simulation.ts';
import { type SeedOptions, runSeed } from './run.ts';

/**
 * The shortest prefix of a failing seed after which it still fails: so many events, then nothing bad happens any more.
 * Halved, for what a shorter prefix does is not told by a longer one.
 */
export async function shortestFailing(
  failed: SimulationReport,
  options: SeedOptions,
): Promise<SimulationReport> {
  let shortest = failed;
  let least = 0;
  let most = failed.wildEvents;
  while (most - least > Math.max(50, most / 50)) {
    const middle = (least + most) >> 1;
    const report = await runSeed(failed.seed, { ...options, wildEventsMax: middle });
    if (report.failure === undefined) {
      least = middle;
    } else {
      shortest = report;
      most = Math.min(middle, report.wildEvents);
    }
  }
  return shortest;
}
