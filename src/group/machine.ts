import type { Millis } from '../model/ids.ts';
import { NOTHING } from '../model/machine.ts';
import type { Decision, Machine, MachineRecord, MachineRequest } from '../model/machine.ts';
import { DEFAULT_GROUP_CONFIG } from './config.ts';
import type { GroupConfig } from './config.ts';

export interface GroupMachineOptions {
  /** Makes the unique part of a member id: a UUID from the host's `Random`. */
  id: () => string;
  config?: Partial<GroupConfig>;
}

/** The coordinator of all groups of one partition of `__consumer_offsets`. */
export class GroupMachine implements Machine {
  readonly config: GroupConfig;
  readonly #id: () => string;

  constructor(options: GroupMachineOptions) {
    this.config = { ...DEFAULT_GROUP_CONFIG, ...options.config };
    this.#id = options.id;
  }

  decide(request: MachineRequest, _nowMs: Millis): Decision {
    return request.apiKey < 0 ? { records: [], replies: [{ to: request.from, body: this.#id() }] } : NOTHING;
  }

  apply(_record: MachineRecord, _nowMs: Millis): void {}

  tick(_nowMs: Millis): Decision {
    return NOTHING;
  }

  get wakeAtMs(): Millis {
    return Infinity;
  }

  forget(_link: number): void {}

  *snapshot(): Iterable<MachineRecord> {}
}
