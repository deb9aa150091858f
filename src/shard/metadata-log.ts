import type { LeaderEpoch, Uuid } from '../model/ids.ts';
import { ControlType, controlKey } from '../records/control.ts';
import { encodeMessage } from '../wire/codec.ts';
import { array, int16, int32, int64, message, uuid } from '../wire/schema.ts';
import type { Reign } from './shard.ts';
import type { SnapshotFrame } from './snapshots.ts';

/** Control records of the metadata log (KIP-595, KIP-630, KIP-853). */
const voters = array('0+', { voterId: int32('0+'), voterDirectoryId: uuid('1+') });
export const leaderChangeMessage = message({
  name: 'LeaderChangeMessage',
  versions: '0-1',
  flexible: '0+',
  fields: { version: int16('0+'), leaderId: int32('0+'), voters, grantingVoters: voters },
});
export const snapshotHeaderRecord = message({
  name: 'SnapshotHeaderRecord',
  versions: '0',
  flexible: '0+',
  fields: { version: int16('0+'), lastContainedLogTimestamp: int64('0+') },
});
export const snapshotFooterRecord = message({
  name: 'SnapshotFooterRecord',
  versions: '0',
  flexible: '0+',
  fields: { version: int16('0+') },
});

const LEADER_CHANGE_VERSION = 1;

/** A quorum of one: this node votes for itself and says so, as Kafka's `quorum-state` and LeaderChange do. */
export function metadataReign(leader: {
  nodeId: number;
  directoryId: Uuid;
  leaderEpoch: LeaderEpoch;
}): Reign {
  const { nodeId, directoryId, leaderEpoch } = leader;
  const voter = [{ voterId: nodeId, voterDirectoryId: directoryId }];
  const change = { version: LEADER_CHANGE_VERSION, leaderId: nodeId, voters: voter, grantingVoters: voter };
  const quorumState = {
    leaderId: nodeId,
    leaderEpoch,
    votedId: nodeId,
    votedDirectoryId: directoryId,
    data_version: 1,
  };
  return {
    controlRecords: [
      {
        key: controlKey(ControlType.leaderChange),
        value: encodeMessage(leaderChangeMessage, LEADER_CHANGE_VERSION, change),
      },
    ],
    values: [{ name: 'quorum-state', value: new TextEncoder().encode(JSON.stringify(quorumState)) }],
  };
}

export const metadataSnapshotFrame: SnapshotFrame = {
  header: (timestamp) => ({
    key: controlKey(ControlType.snapshotHeader),
    value: encodeMessage(snapshotHeaderRecord, 0, { version: 0, lastContainedLogTimestamp: timestamp }),
    timestamp,
  }),
  footer: (timestamp) => ({
    key: controlKey(ControlType.snapshotFooter),
    value: encodeMessage(snapshotFooterRecord, 0, { version: 0 }),
    timestamp,
  }),
};
