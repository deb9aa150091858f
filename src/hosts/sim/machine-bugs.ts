import { CONSUMER_OFFSETS_TOPIC, type Millis } from '../../model/ids.ts';
import type { Decision, Machine, MachineRecord, MachineRequest } from '../../model/machine.ts';
import { offsetCommitApi } from '../../wire/apis/08-offset-commit.ts';
import { type OffsetFetchResponse, offsetFetchApi } from '../../wire/apis/09-offset-fetch.ts';
import { leaveGroupApi } from '../../wire/apis/13-leave-group.ts';
import { SESSION_TIMEOUT_MS } from './group-ledger.ts';
import type { Seams } from './node.ts';
import { WrappedMachine } from './wrapped-machine.ts';

/* Coordinators of groups with a bug: see `BUGS`. */

/** So much before its time a session ends. */
const EARLY_MS = SESSION_TIMEOUT_MS - 600;

/** Takes sessions for over that are not. */
export class ExpiresEarly extends WrappedMachine {
  override tick(nowMs: Millis): Decision {
    return super.tick(nowMs + EARLY_MS);
  }
  override get wakeAtMs(): Millis {
    return super.wakeAtMs - EARLY_MS;
  }
}

/** Takes one commit of positions in so many, and does not keep it. */
export class LosesCommits extends WrappedMachine {
  #commits = 0;

  override decide(request: MachineRequest, nowMs: Millis): Decision {
    const decision = super.decide(request, nowMs);
    const isLost = request.apiKey === offsetCommitApi.key && ++this.#commits % 4 === 0;
    return isLost ? { ...decision, records: [] } : decision;
  }
}

/** Answers what was asked of one partition for the one behind it. */
export class AnswersForOthers extends WrappedMachine {
  override decide(request: MachineRequest, nowMs: Millis): Decision {
    const decision = super.decide(request, nowMs);
    if (request.apiKey !== offsetFetchApi.key) return decision;
    for (const { body } of decision.replies) {
      const { topics, groups } = body as OffsetFetchResponse;
      for (const topic of [...topics, ...groups.flatMap((group) => group.topics)])
        for (const partition of topic.partitions) partition.partitionIndex += 7;
    }
    return decision;
  }
}

/** Does not know what to do with a member that leaves. */
export class ThrowsAtLeaving extends WrappedMachine {
  override decide(request: MachineRequest, nowMs: Millis): Decision {
    if (request.apiKey === leaveGroupApi.key) throw new TypeError('there is no such member');
    return super.decide(request, nowMs);
  }
}

export function groups(wrap: (machine: Machine) => Machine): () => Seams {
  return () => ({
    spec: (spec) => {
      const { machine, name } = spec;
      if (machine === undefined || name.topic !== CONSUMER_OFFSETS_TOPIC) return spec;
      return { ...spec, machine: (epoch) => wrap(machine(epoch)) };
    },
  });
}

/** Makes records true for all who ask before they are in the log. */
export function appliesEarly(
  machine: Machine,
  onCommitted: (records: Iterable<MachineRecord>) => void,
): Machine {
  const decide = machine.decide.bind(machine);
  machine.decide = (request, nowMs) => {
    const decision = decide(request, nowMs);
    if (decision.records.length > 0) onCommitted(decision.records);
    return decision;
  };
  return machine;
}
