import type { Engines } from '../../src/client/client-parts.ts';
import { type OnDemand, onDemand } from '../../src/client/on-demand.ts';
import { nodeEngines } from '../../src/hosts/node/engines.ts';

export type EngineName = keyof Engines;

/**
 * What a page loads when it asks for it. @param load resolves when that is here, rejects when it cannot be; a turn
 * later, unless given.
 */
export function lateEngines(load: (name: EngineName) => Promise<void> = aTurnLater): Engines {
  const late = <T>(name: EngineName, engine: OnDemand<T>) =>
    onDemand(name, async () => {
      await load(name);
      return engine();
    });
  const { producer, fetcher, consumer, latest } = nodeEngines;
  return {
    producer: late('producer', producer),
    fetcher: late('fetcher', fetcher),
    consumer: late('consumer', consumer),
    latest: late('latest', latest),
  };
}

function aTurnLater(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
