import { Client } from '../../src/client/client.ts';
import { Cluster, type ClusterOptions } from '../../src/client/cluster.ts';
import { nodeEngines } from '../../src/hosts/node/engines.ts';
import { loadKernels } from '../../src/kernels/load.ts';
import type { FakeCluster } from './fake-cluster.ts';

export const kernels = await loadKernels();

/** A cluster as a client sees it, in the virtual time of `fake`. */
export function clusterOf(fake: FakeCluster, options: Partial<ClusterOptions> = {}): Cluster {
  const { transport, bootstrap, scheduler: clock, random } = fake;
  return new Cluster({ transport, bootstrap, clientId: 'test', clock, random, ...options });
}

export function clientOf(
  fake: FakeCluster,
  retryForMs: number,
  cluster = clusterOf(fake),
  engines = nodeEngines,
): Client {
  const { scheduler: clock, random } = fake;
  return new Client({ cluster, clock, random, kernels, codecs: new Map(), engines, retryForMs });
}
