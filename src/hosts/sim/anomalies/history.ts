import type { Millis, Offset } from '../../../model/ids.ts';

/*
 * What clients did and were told, for the checker: the model of Jepsen's Kafka workload. A key is a partition, and no
 * two sends to it have one value.
 */

export interface Send {
  type: 'send';
  key: string;
  value: string;
  /** As it was told; left out where it was not. */
  offset?: Offset;
  /** Not idempotent: it may be there twice. */
  mayRepeat?: boolean;
  /** What it was made of: of each such thing one send counts. */
  madeOf?: string;
}

export interface Poll {
  type: 'poll';
  key: string;
  /** As they came; of committed records alone. */
  records: readonly { offset: Offset; value: string }[];
}

/** `ok`: done. `fail`: surely not done, or aborted. `info`: nobody knows. What was polled was polled in any case. */
export type Outcome = 'ok' | 'fail' | 'info';

export interface Operation {
  /** Does one thing after the other. */
  process: string;
  steps: readonly (Send | Poll)[];
  outcome: Outcome;
  /** Its sends count together or not at all. */
  isTransaction?: boolean;
  beganAtMs: Millis;
  endedAtMs: Millis;
  /** How it came to what it polls: members of a group may lose a partition and get it again. */
  attached?: 'assign' | 'subscribe';
  /** Keys it was put at another position of, after its last operation or in this one. */
  moved?: readonly string[];
}

export interface History {
  /** In the order in which they ended. */
  operations: readonly Operation[];
  /** By key: values below may be gone, for somebody deleted them. */
  deletedBelow?: ReadonlyMap<string, Offset>;
  /** Keys of which something was to be made of each value (`madeOf`), named by {@link provenance}. */
  processed?: ReadonlySet<string>;
}

/** The name of a record as what another is made of. */
export function provenance(key: string, offset: Offset): string {
  return `${key}@${offset}`;
}

/** Takes down what clients do. */
export class Recorder {
  readonly #operations: Operation[] = [];
  readonly #now: () => Millis;

  constructor(now: () => Millis) {
    this.#now = now;
  }

  /** To be called when it has ended. */
  add(operation: Omit<Operation, 'endedAtMs'>): void {
    this.#operations.push({ ...operation, endedAtMs: this.#now() });
  }

  /** How the transactions ended. */
  get transactions(): Readonly<Record<Outcome, number>> {
    const counts = { ok: 0, fail: 0, info: 0 };
    for (const { isTransaction, outcome } of this.#operations) if (isTransaction === true) counts[outcome]++;
    return counts;
  }

  /** @param isKept leaves out keys that were allowed to lose what they had. */
  history(isKept: (key: string) => boolean = () => true): readonly Operation[] {
    return this.#operations.flatMap((operation) => {
      const steps = operation.steps.filter(({ key }) => isKept(key));
      return steps.length === 0 ? [] : [{ ...operation, steps }];
    });
  }
}
