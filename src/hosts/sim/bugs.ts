import { Broken, type Invariant } from './broken.ts';
import {
  AnswersForOthers,
  ExpiresEarly,
  LosesCommits,
  ThrowsAtLeaving,
  appliesEarly,
  groups,
} from './machine-bugs.ts';
import type { Seams } from './node.ts';
import {
  AnswersEarly,
  ChangesBytes,
  Drops,
  ForgetsProducers,
  LosesReplaced,
  Reuses,
  ServesUncommitted,
  TrimsTooFar,
  believesFirstReads,
  shortIndexes,
} from './store-bugs.ts';
import { SHARE_BUGS } from './share/bugs.ts';
import type { Cast } from './simulation.ts';
import { TXN_BUGS } from './txn/bugs.ts';

/** A fault of the broker's own, and what it breaks: another failure is not how it is caught. */
export interface Bug {
  /** Made anew for a seed. */
  seams: () => Seams;
  breaks: readonly Invariant[];
  /** Where it is found soonest: see `SimulationOptions`. */
  cast?: Cast;
}

/** Bugs to be found: what the simulator would not notice, it does not guard. */
export const BUGS: Readonly<Record<string, Bug>> = {
  'drop-record': {
    seams: () => ({ store: (store) => new Drops(store) }),
    // In the middle of a log it is skipped, at its end it is gone.
    breaks: ['I1', 'I5', 'I13'],
  },
  'reuse-offset': {
    seams: () => ({ store: (store) => new Reuses(store) }),
    // The offset has two batches, or the batch two offsets; a batch that is over another's end hides what was there.
    breaks: ['I2', 'I3', 'I5', 'I6', 'I13'],
  },
  'answer-before-commit': {
    seams: () => ({ store: (store) => new AnswersEarly(store) }),
    breaks: ['I1', 'I3', 'I13'],
  },
  'forget-producers': {
    seams: () => ({ store: (store, kernels) => new ForgetsProducers(store, kernels) }),
    // The next batch, one that is sent again, what is open no more, or else the last restart tells.
    breaks: ['I3', 'I6', 'I9', 'I15'],
  },
  'apply-before-append': {
    seams: () => ({
      spec: (spec) => {
        const { machine, onCommitted } = spec;
        if (machine === undefined || onCommitted === undefined) return spec;
        // The second time, when they are committed, changes nothing.
        return { ...spec, machine: (epoch) => appliesEarly(machine(epoch), onCommitted) };
      },
    }),
    breaks: ['I1'],
  },
  'lose-index-tail': {
    seams: () => ({ files: shortIndexes }),
    // By offset what an index lacks is read; by time the largest one of a segment is believed.
    breaks: ['I15'],
  },
  'believe-first-read': {
    seams: () => ({ files: believesFirstReads }),
    // A log ends too early, goes on elsewhere, or leads a reader past what it holds.
    breaks: ['I1', 'I2', 'I3', 'I4', 'I5', 'I13', 'I15', 'I18'],
  },
  'expire-live-member': {
    seams: groups((machine) => new ExpiresEarly(machine)),
    breaks: ['I11'],
  },
  'lose-a-commit': {
    seams: groups((machine) => new LosesCommits(machine)),
    breaks: ['I10'],
  },
  'answer-for-others': {
    seams: groups((machine) => new AnswersForOthers(machine)),
    breaks: ['I16'],
  },
  'throw-at-leaving': {
    seams: groups((machine) => new ThrowsAtLeaving(machine)),
    breaks: ['I17'],
  },
  'trim-too-far': {
    seams: () => ({ store: (store) => new TrimsTooFar(store) }),
    breaks: ['I14', 'I5'],
  },
  'change-a-byte': {
    seams: () => ({ store: (store) => new ChangesBytes(store) }),
    breaks: ['I18'],
  },
  'drop-last-batch-of-producer': {
    seams: () => ({ store: (store) => new LosesReplaced(store, ({ recordsCount }) => recordsCount === 0) }),
    breaks: ['I3'],
  },
  'tombstone-too-early': {
    // Whatever has a horizon has tombstones: values beside them go with them.
    seams: () => ({
      store: (store) => new LosesReplaced(store, ({ deleteHorizonMs }) => deleteHorizonMs !== undefined),
    }),
    breaks: ['I13'],
  },
  'serve-past-high-watermark': {
    seams: () => ({ store: (store) => new ServesUncommitted(store) }),
    breaks: ['I4', 'I6'],
  },
  ...TXN_BUGS,
  ...SHARE_BUGS,
};

/** Whether `failure` is what that bug leads to. */
export function isCaught({ breaks }: Bug, failure: Error | undefined): boolean {
  return failure instanceof Broken && breaks.includes(failure.invariant);
}
