import type { Invariant } from '../../src/hosts/sim/broken.ts';

/**
 * What must hold (`src/hosts/sim/broken.ts` says each), the planted bug by which it is broken, and what notices. Left
 * out: I19, which `test/sim/sim.test.ts` holds by one seed that is run twice.
 */
export const INVARIANTS: Readonly<Record<Invariant, { bug: string; heldBy: string }>> = {
  I1: {
    bug: 'answer-before-commit',
    heldBy: 'ledger: logs reach what was promised; anomalies: unseen, lost-write',
  },
  I2: { bug: 'reuse-offset', heldBy: 'ledger: an offset has one batch; anomalies: inconsistent-offsets' },
  I3: {
    bug: 'drop-last-batch-of-producer',
    heldBy: 'ledger: sequences; anomalies: duplicate, nonmonotonic-send',
  },
  I4: { bug: 'serve-past-high-watermark', heldBy: 'readers, and a look from inside after each event' },
  I5: { bug: 'drop-record', heldBy: 'readers: batches join; anomalies: poll-skip and its kin' },
  I6: {
    bug: 'leak-aborted-batch',
    heldBy: 'readers of committed records; anomalies: G1a, precommitted-read',
  },
  I7: {
    bug: 'marker-before-prepare',
    heldBy: 'a look at markers as they are written; anomalies: G1c, processed twice',
  },
  I8: { bug: 'skip-a-fence', heldBy: 'ledger of transactions: who was fenced is not answered well' },
  I9: { bug: 'forget-producers', heldBy: 'producers that send again what was acknowledged' },
  I10: { bug: 'lose-a-commit', heldBy: 'ledger of groups: owners, generations, positions' },
  I11: { bug: 'expire-live-member', heldBy: 'members that were heard in time; groups once all is well' },
  I12: {
    bug: 'double-acquisition-of-a-share-record',
    heldBy: 'ledger of shares: holds, deliveries, what is done',
  },
  I13: { bug: 'tombstone-too-early', heldBy: 'the writer of a compacted topic' },
  I14: { bug: 'trim-too-far', heldBy: 'ledger: trims' },
  I15: { bug: 'lose-index-tail', heldBy: 'the state before the last restart and after it; lookups by time' },
  I16: { bug: 'answer-for-others', heldBy: 'clients: each answer decodes, and is to what was asked' },
  I17: { bug: 'throw-at-leaving', heldBy: 'the simulation: nothing throws, all ends' },
  I18: { bug: 'change-a-byte', heldBy: 'readers: what was sent under the checksum' },
};
