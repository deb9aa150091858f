import { encodeControlRecord, encodeQuorumState } from '../metadata/control-records.ts';
import type { LeaderEpoch, Uuid } from '../model/ids.ts';
import type { Reign } from './shard-spec.ts';
import type { SnapshotFrame } from './snapshots.ts';

/** Kafka writes no other, and its readers take every LeaderChange for this one. */
const LEADER_CHANGE_VERSION = 0;

/** A quorum of one: this node votes for itself and says so, as Kafka's `quorum-state` and LeaderChange do (KIP-595). */
export function metadataReign(leader: {
  nodeId: number;
  directoryId: Uuid;
  leaderEpoch: LeaderEpoch;
}): Reign {
  const { nodeId, directoryId, leaderEpoch } = leader;
  const voters = [{ voterId: nodeId, voterDirectoryId: directoryId }];
  const state = { leaderId: nodeId, leaderEpoch, votedId: nodeId, votedDirectoryId: directoryId };
  return {
    controlRecords: [
      encodeControlRecord({
        type: 'leaderChange',
        version: LEADER_CHANGE_VERSION,
        leaderId: nodeId,
        voters,
        grantingVoters: voters,
      }),
    ],
    values: [{ name: 'quorum-state', value: new TextEncoder().encode(encodeQuorumState(state)) }],
  };
}

/** Control batches around a metadata snapshot (KIP-630). */
export const metadataSnapshotFrame: SnapshotFrame = {
  header: (timestamp) => ({
    ...encodeControlRecord({ type: 'snapshotHeader', version: 0, lastContainedLogTimestamp: timestamp }),
    timestamp,
  }),
  footer: (timestamp) => ({ ...encodeControlRecord({ type: 'snapshotFooter', version: 0 }), timestamp }),
};
