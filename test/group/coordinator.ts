import type { GroupConfig } from '../../src/group/index.ts';
import { GroupMachine } from '../../src/group/index.ts';
import { MachineHost } from '../support/machine-host.ts';
import { FakeTopics } from './fake-topics.ts';

/** What a machine is told of the others. */
export const OTHERS = {
  partition: 7,
  transactionCoordinator: (id: string) => (id === 'unknown' ? undefined : 't/0'),
};

/** Of groups; their first rebalance waits for nobody. */
export class Coordinator extends MachineHost<GroupMachine> {
  readonly topics: FakeTopics;

  constructor(config: Partial<GroupConfig> = {}) {
    let ids = 0;
    const topics = new FakeTopics();
    super(
      () =>
        new GroupMachine({
          ...OTHERS,
          id: () => String(++ids),
          config: { groupInitialRebalanceDelayMs: 0, consumerAssignmentIntervalMs: 0, ...config },
          cluster: topics,
        }),
    );
    this.topics = topics;
  }
}

export function text(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

export function bytes(content: string): Uint8Array {
  return new TextEncoder().encode(content);
}
