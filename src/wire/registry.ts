/** Every API we have a schema of. Which versions are served is for the handlers to say. */
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
import { initProducerIdApi } from './apis/22-init-producer-id.ts';
import { offsetForLeaderEpochApi } from './apis/23-offset-for-leader-epoch.ts';
import { describeConfigsApi } from './apis/32-describe-configs.ts';
import { saslAuthenticateApi } from './apis/36-sasl-authenticate.ts';
import { createPartitionsApi } from './apis/37-create-partitions.ts';
import { deleteGroupsApi } from './apis/42-delete-groups.ts';
import { envelopeApi } from './apis/58-envelope.ts';
import { describeClusterApi } from './apis/60-describe-cluster.ts';
import type { Api, VersionRange } from './schema.ts';

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
  initProducerIdApi,
  offsetForLeaderEpochApi,
  describeConfigsApi,
  saslAuthenticateApi,
  createPartitionsApi,
  deleteGroupsApi,
  envelopeApi,
  describeClusterApi,
];

const BY_KEY = new Map(APIS.map((api) => [api.key, api]));

export function apiByKey(key: number): Api | undefined {
  return BY_KEY.get(key);
}

/** The versions there is a schema for, inclusive. */
export function versionsOf({ versions: { min, max } }: Api): VersionRange {
  return { min, max };
}
