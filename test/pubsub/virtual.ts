import { Connection, type ConnectOptions } from '../../src/web/connection.ts';
import { parseTarget } from '../../src/web/target.ts';
import type { FakeCluster } from '../client/fake-cluster.ts';

/** A page's connection in the virtual time of `fake`. */
export function connectTo(fake: FakeCluster, options?: ConnectOptions): Connection {
  const { scheduler: clock, random, transport } = fake;
  const surroundings = {
    clock,
    random: () => random.next(),
    transport: () => transport,
    onWake: () => () => {},
    report(error: unknown) {
      throw error;
    },
  };
  return new Connection(surroundings, parseTarget('ws://fake:1/kafka', undefined), options);
}
