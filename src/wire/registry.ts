/**
 * Every API there is a schema of. Programs do not load it: they import the APIs they speak, and `frame.ts` knows
 * those. It is for what goes through all of them: tests, fuzzing, tools.
 */
import { produceApi } from './apis/00-produce.ts';
import { fetchApi } from './apis/01-fetch.ts';
import { listOffsetsApi } from './apis/02-list-offsets.ts';
import { metadataApi } from './apis/03-metadata.ts';
import { offsetCommitApi } from './apis/08-offset-commit.ts';
import { offsetFetchApi } from './apis/09-offset-fetch.ts';
import { findCoordinatorApi } from './apis/10-find-coordinator.ts';
import { joinGroupApi } from './apis/11-join-group.ts';
import { heartbeatApi } from './apis/12-heartbeat.ts';
import { leaveGroupApi } from './apis/13-leave-group.ts';
import { syncGroupApi } from './apis/14-sync-group.ts';
import { describeGroupsApi } from './apis/15-describe-groups.ts';
import { listGroupsApi } from './apis/16-list-groups.ts';
import { saslHandshakeApi } from './apis/17-sasl-handshake.ts';
import { apiVersionsApi } from './apis/18-api-versions.ts';
import { createTopicsApi } from './apis/19-create-topics.ts';
import { deleteTopicsApi } from './apis/20-delete-topics.ts';
import { deleteRecordsApi } from './apis/21-delete-records.ts';
import { initProducerIdApi } from './apis/22-init-producer-id.ts';
import { offsetForLeaderEpochApi } from './apis/23-offset-for-leader-epoch.ts';
import { addPartitionsToTxnApi } from './apis/24-add-partitions-to-txn.ts';
import { addOffsetsToTxnApi } from './apis/25-add-offsets-to-txn.ts';
import { endTxnApi } from './apis/26-end-txn.ts';
import { writeTxnMarkersApi } from './apis/27-write-txn-markers.ts';
import { txnOffsetCommitApi } from './apis/28-txn-offset-commit.ts';
import { describeAclsApi } from './apis/29-describe-acls.ts';
import { createAclsApi } from './apis/30-create-acls.ts';
import { deleteAclsApi } from './apis/31-delete-acls.ts';
import { describeConfigsApi } from './apis/32-describe-configs.ts';
import { alterConfigsApi } from './apis/33-alter-configs.ts';
import { alterReplicaLogDirsApi } from './apis/34-alter-replica-log-dirs.ts';
import { describeLogDirsApi } from './apis/35-describe-log-dirs.ts';
import { saslAuthenticateApi } from './apis/36-sasl-authenticate.ts';
import { createPartitionsApi } from './apis/37-create-partitions.ts';
import { createDelegationTokenApi } from './apis/38-create-delegation-token.ts';
import { renewDelegationTokenApi } from './apis/39-renew-delegation-token.ts';
import { expireDelegationTokenApi } from './apis/40-expire-delegation-token.ts';
import { describeDelegationTokenApi } from './apis/41-describe-delegation-token.ts';
import { deleteGroupsApi } from './apis/42-delete-groups.ts';
import { electLeadersApi } from './apis/43-elect-leaders.ts';
import { incrementalAlterConfigsApi } from './apis/44-incremental-alter-configs.ts';
import { alterPartitionReassignmentsApi } from './apis/45-alter-partition-reassignments.ts';
import { listPartitionReassignmentsApi } from './apis/46-list-partition-reassignments.ts';
import { offsetDeleteApi } from './apis/47-offset-delete.ts';
import { describeClientQuotasApi } from './apis/48-describe-client-quotas.ts';
import { alterClientQuotasApi } from './apis/49-alter-client-quotas.ts';
import { describeUserScramCredentialsApi } from './apis/50-describe-user-scram-credentials.ts';
import { alterUserScramCredentialsApi } from './apis/51-alter-user-scram-credentials.ts';
import { voteApi } from './apis/52-vote.ts';
import { beginQuorumEpochApi } from './apis/53-begin-quorum-epoch.ts';
import { endQuorumEpochApi } from './apis/54-end-quorum-epoch.ts';
import { describeQuorumApi } from './apis/55-describe-quorum.ts';
import { alterPartitionApi } from './apis/56-alter-partition.ts';
import { updateFeaturesApi } from './apis/57-update-features.ts';
import { envelopeApi } from './apis/58-envelope.ts';
import { fetchSnapshotApi } from './apis/59-fetch-snapshot.ts';
import { describeClusterApi } from './apis/60-describe-cluster.ts';
import { describeProducersApi } from './apis/61-describe-producers.ts';
import { brokerRegistrationApi } from './apis/62-broker-registration.ts';
import { brokerHeartbeatApi } from './apis/63-broker-heartbeat.ts';
import { unregisterBrokerApi } from './apis/64-unregister-broker.ts';
import { describeTransactionsApi } from './apis/65-describe-transactions.ts';
import { listTransactionsApi } from './apis/66-list-transactions.ts';
import { allocateProducerIdsApi } from './apis/67-allocate-producer-ids.ts';
import { consumerGroupHeartbeatApi } from './apis/68-consumer-group-heartbeat.ts';
import { consumerGroupDescribeApi } from './apis/69-consumer-group-describe.ts';
import { controllerRegistrationApi } from './apis/70-controller-registration.ts';
import { getTelemetrySubscriptionsApi } from './apis/71-get-telemetry-subscriptions.ts';
import { pushTelemetryApi } from './apis/72-push-telemetry.ts';
import { assignReplicasToDirsApi } from './apis/73-assign-replicas-to-dirs.ts';
import { listConfigResourcesApi } from './apis/74-list-config-resources.ts';
import { describeTopicPartitionsApi } from './apis/75-describe-topic-partitions.ts';
import { shareGroupHeartbeatApi } from './apis/76-share-group-heartbeat.ts';
import { shareGroupDescribeApi } from './apis/77-share-group-describe.ts';
import { shareFetchApi } from './apis/78-share-fetch.ts';
import { shareAcknowledgeApi } from './apis/79-share-acknowledge.ts';
import { addRaftVoterApi } from './apis/80-add-raft-voter.ts';
import { removeRaftVoterApi } from './apis/81-remove-raft-voter.ts';
import { updateRaftVoterApi } from './apis/82-update-raft-voter.ts';
import { initializeShareGroupStateApi } from './apis/83-initialize-share-group-state.ts';
import { readShareGroupStateApi } from './apis/84-read-share-group-state.ts';
import { writeShareGroupStateApi } from './apis/85-write-share-group-state.ts';
import { deleteShareGroupStateApi } from './apis/86-delete-share-group-state.ts';
import { readShareGroupStateSummaryApi } from './apis/87-read-share-group-state-summary.ts';
import { streamsGroupHeartbeatApi } from './apis/88-streams-group-heartbeat.ts';
import { streamsGroupDescribeApi } from './apis/89-streams-group-describe.ts';
import { describeShareGroupOffsetsApi } from './apis/90-describe-share-group-offsets.ts';
import { alterShareGroupOffsetsApi } from './apis/91-alter-share-group-offsets.ts';
import { deleteShareGroupOffsetsApi } from './apis/92-delete-share-group-offsets.ts';
import type { Api } from './schema.ts';

/** By key, ascending. */
export const APIS: readonly Api[] = [
  produceApi,
  fetchApi,
  listOffsetsApi,
  metadataApi,
  offsetCommitApi,
  offsetFetchApi,
  findCoordinatorApi,
  joinGroupApi,
  heartbeatApi,
  leaveGroupApi,
  syncGroupApi,
  describeGroupsApi,
  listGroupsApi,
  saslHandshakeApi,
  apiVersionsApi,
  createTopicsApi,
  deleteTopicsApi,
  deleteRecordsApi,
  initProducerIdApi,
  offsetForLeaderEpochApi,
  addPartitionsToTxnApi,
  addOffsetsToTxnApi,
  endTxnApi,
  writeTxnMarkersApi,
  txnOffsetCommitApi,
  describeAclsApi,
  createAclsApi,
  deleteAclsApi,
  describeConfigsApi,
  alterConfigsApi,
  alterReplicaLogDirsApi,
  describeLogDirsApi,
  saslAuthenticateApi,
  createPartitionsApi,
  createDelegationTokenApi,
  renewDelegationTokenApi,
  expireDelegationTokenApi,
  describeDelegationTokenApi,
  deleteGroupsApi,
  electLeadersApi,
  incrementalAlterConfigsApi,
  alterPartitionReassignmentsApi,
  listPartitionReassignmentsApi,
  offsetDeleteApi,
  describeClientQuotasApi,
  alterClientQuotasApi,
  describeUserScramCredentialsApi,
  alterUserScramCredentialsApi,
  voteApi,
  beginQuorumEpochApi,
  endQuorumEpochApi,
  describeQuorumApi,
  alterPartitionApi,
  updateFeaturesApi,
  envelopeApi,
  fetchSnapshotApi,
  describeClusterApi,
  describeProducersApi,
  brokerRegistrationApi,
  brokerHeartbeatApi,
  unregisterBrokerApi,
  describeTransactionsApi,
  listTransactionsApi,
  allocateProducerIdsApi,
  consumerGroupHeartbeatApi,
  consumerGroupDescribeApi,
  controllerRegistrationApi,
  getTelemetrySubscriptionsApi,
  pushTelemetryApi,
  assignReplicasToDirsApi,
  listConfigResourcesApi,
  describeTopicPartitionsApi,
  shareGroupHeartbeatApi,
  shareGroupDescribeApi,
  shareFetchApi,
  shareAcknowledgeApi,
  addRaftVoterApi,
  removeRaftVoterApi,
  updateRaftVoterApi,
  initializeShareGroupStateApi,
  readShareGroupStateApi,
  writeShareGroupStateApi,
  deleteShareGroupStateApi,
  readShareGroupStateSummaryApi,
  streamsGroupHeartbeatApi,
  streamsGroupDescribeApi,
  describeShareGroupOffsetsApi,
  alterShareGroupOffsetsApi,
  deleteShareGroupOffsetsApi,
];
