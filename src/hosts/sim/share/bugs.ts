import { SHARE_GROUP_STATE_TOPIC } from '../../../model/ids.ts';
import type { Decision, Machine, MachineRequest } from '../../../model/machine.ts';
import { writeShareGroupStateApi } from '../../../wire/apis/85-write-share-group-state.ts';
import type { Bug } from '../bugs.ts';
import { WrappedMachine } from '../wrapped-machine.ts';

/** Locks end long before their members are told. */
const LOCK_RATIO = 0.05;

/** Takes one write of a state in so many, and does not keep it. */
class LosesStates extends WrappedMachine {
  #writes = 0;

  override decide(request: MachineRequest, nowMs: number): Decision {
    const isLost = request.apiKey === writeShareGroupStateApi.key && ++this.#writes % 3 === 0;
    if (!isLost) return super.decide(request, nowMs);
    const { topics } = request.body as { topics: { topicId: string; partitions: { partition: number }[] }[] };
    const results = topics.map(({ topicId, partitions }) => ({
      topicId,
      partitions: partitions.map(({ partition }) => ({ partition, errorCode: 0, errorMessage: null })),
    }));
    return { records: [], replies: [{ to: request.from, body: { results } }] };
  }
}

export const SHARE_BUGS: Readonly<Record<string, Bug>> = {
  'double-acquisition-of-a-share-record': {
    cast: 'shares',
    breaks: ['I12'],
    seams: () => ({
      spec: (spec) => {
        const { shareGroupConfig } = spec;
        if (shareGroupConfig === undefined) return spec;
        const shorter = (groupId: string) => {
          const config = shareGroupConfig(groupId);
          return { ...config, recordLockDurationMs: config.recordLockDurationMs * LOCK_RATIO };
        };
        return { ...spec, shareGroupConfig: shorter };
      },
    }),
  },
  'lose-a-share-state': {
    cast: 'shares',
    breaks: ['I12'],
    seams: () => ({
      spec: (spec) => {
        const { machine, name } = spec;
        if (machine === undefined || name.topic !== SHARE_GROUP_STATE_TOPIC) return spec;
        const wrapped = (epoch: number): Machine => new LosesStates(machine(epoch));
        return { ...spec, machine: wrapped };
      },
    }),
  },
};
