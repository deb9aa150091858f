import { ResourceType } from '../../metadata/image.ts';
import { ErrorCode } from '../../model/errors.ts';
import { AclOperation as Op } from '../../security/acl.ts';
import { fetchApi } from '../../wire/apis/01-fetch.ts';
import { saslHandshakeApi } from '../../wire/apis/17-sasl-handshake.ts';
import { apiVersionsApi } from '../../wire/apis/18-api-versions.ts';
import { initProducerIdApi } from '../../wire/apis/22-init-producer-id.ts';
import { describeAclsApi } from '../../wire/apis/29-describe-acls.ts';
import { createAclsApi } from '../../wire/apis/30-create-acls.ts';
import { deleteAclsApi } from '../../wire/apis/31-delete-acls.ts';
import { type DescribeConfigsResponse, describeConfigsApi } from '../../wire/apis/32-describe-configs.ts';
import { type AlterConfigsResponse, alterConfigsApi } from '../../wire/apis/33-alter-configs.ts';
import { alterReplicaLogDirsApi } from '../../wire/apis/34-alter-replica-log-dirs.ts';
import { describeLogDirsApi } from '../../wire/apis/35-describe-log-dirs.ts';
import { saslAuthenticateApi } from '../../wire/apis/36-sasl-authenticate.ts';
import { electLeadersApi } from '../../wire/apis/43-elect-leaders.ts';
import { incrementalAlterConfigsApi } from '../../wire/apis/44-incremental-alter-configs.ts';
import { alterPartitionReassignmentsApi } from '../../wire/apis/45-alter-partition-reassignments.ts';
import { listPartitionReassignmentsApi } from '../../wire/apis/46-list-partition-reassignments.ts';
import { describeClientQuotasApi } from '../../wire/apis/48-describe-client-quotas.ts';
import { alterClientQuotasApi } from '../../wire/apis/49-alter-client-quotas.ts';
import { describeUserScramCredentialsApi } from '../../wire/apis/50-describe-user-scram-credentials.ts';
import { alterUserScramCredentialsApi } from '../../wire/apis/51-alter-user-scram-credentials.ts';
import { describeQuorumApi } from '../../wire/apis/55-describe-quorum.ts';
import { updateFeaturesApi } from '../../wire/apis/57-update-features.ts';
import { describeClusterApi } from '../../wire/apis/60-describe-cluster.ts';
import { getTelemetrySubscriptionsApi } from '../../wire/apis/71-get-telemetry-subscriptions.ts';
import { pushTelemetryApi } from '../../wire/apis/72-push-telemetry.ts';
import { listConfigResourcesApi } from '../../wire/apis/74-list-config-resources.ts';
import type { Api } from '../../wire/schema.ts';
import { refuseCreations } from '../handlers/30-create-acls.ts';
import { refuseDeletions } from '../handlers/31-delete-acls.ts';
import { refuseMoves } from '../handlers/34-alter-replica-log-dirs.ts';
import { refuseQuotas } from '../handlers/49-alter-client-quotas.ts';
import { refuseChanges } from '../handlers/51-alter-user-scram-credentials.ts';
import { emptyAnswer } from '../reply-errors.ts';
import type { Access } from './access.ts';
import { clusterRefusal, type Guard, guard, open, wholly } from './guard.ts';

const initProducerId = wholly(
  initProducerIdApi,
  ({ request: { transactionalId }, access }) => {
    if (transactionalId === null)
      return access.mayProduce ? undefined : ErrorCode.CLUSTER_AUTHORIZATION_FAILED;
    return access.transactionalId(Op.WRITE, transactionalId)
      ? undefined
      : ErrorCode.TRANSACTIONAL_ID_AUTHORIZATION_FAILED;
  },
  (errorCode) => ({ throttleTimeMs: 0, errorCode, producerId: -1, producerEpoch: -1 }),
);

interface Resource {
  resourceType: number;
  resourceName: string;
}

/** Whose settings these are, and the code for those who may not. */
function configRefusal(
  access: Access,
  operation: number,
  { resourceType, resourceName }: Resource,
): number | undefined {
  switch (resourceType) {
    case ResourceType.TOPIC:
      return access.topic(operation, resourceName) ? undefined : ErrorCode.TOPIC_AUTHORIZATION_FAILED;
    case ResourceType.GROUP:
      return access.group(operation, resourceName) ? undefined : ErrorCode.GROUP_AUTHORIZATION_FAILED;
    default:
      return access.cluster(operation) ? undefined : ErrorCode.CLUSTER_AUTHORIZATION_FAILED;
  }
}

/** The resources somebody may see or change, and for each other one its refusal. */
function partedConfigs<R extends Resource>(access: Access, operation: number, resources: readonly R[]) {
  const allowed: R[] = [];
  const refusals = [];
  for (const resource of resources) {
    const { resourceType, resourceName } = resource;
    const errorCode = configRefusal(access, operation, resource);
    if (errorCode === undefined) allowed.push(resource);
    else refusals.push({ errorCode, errorMessage: null, resourceType, resourceName });
  }
  return { allowed, refusals };
}

const describeConfigs = guard(describeConfigsApi, ({ call, request, access }) => {
  const { allowed, refusals } = partedConfigs(access, Op.DESCRIBE_CONFIGS, request.resources);
  if (refusals.length === 0) return request;
  const refused = refusals.map((refusal) => ({ ...refusal, configs: [] }));
  call.amend((body: DescribeConfigsResponse) => ({ ...body, results: [...body.results, ...refused] }));
  return { ...request, resources: allowed };
});

/** Both of those that change settings. */
function configsChange<A extends typeof alterConfigsApi | typeof incrementalAlterConfigsApi>(api: A): Guard {
  return guard<Api>(api, ({ call, request, access }) => {
    const { resources } = request as unknown as { resources: readonly Resource[] };
    const { allowed, refusals } = partedConfigs(access, Op.ALTER_CONFIGS, resources);
    if (refusals.length === 0) return request;
    call.amend((body: AlterConfigsResponse) => ({ ...body, responses: [...body.responses, ...refusals] }));
    return { ...request, resources: allowed };
  });
}

/** All or nothing, by the right to do it with the cluster; the answer has a place for one error. */
function clusterWide<A extends Api>(api: A, operation: number): Guard {
  return wholly(api, clusterRefusal(operation), (code) => emptyAnswer(api, code) as never);
}

export const CLUSTER_GUARDS: readonly Guard[] = [
  // Partition by partition: see `mayRead`.
  open(fetchApi),
  open(saslHandshakeApi),
  open(apiVersionsApi),
  open(saslAuthenticateApi),
  open(describeClusterApi),
  open(getTelemetrySubscriptionsApi),
  open(pushTelemetryApi),
  initProducerId,
  describeConfigs,
  configsChange(alterConfigsApi),
  configsChange(incrementalAlterConfigsApi),
  wholly(alterReplicaLogDirsApi, clusterRefusal(Op.ALTER), refuseMoves),
  wholly(createAclsApi, clusterRefusal(Op.ALTER), refuseCreations),
  wholly(deleteAclsApi, clusterRefusal(Op.ALTER), refuseDeletions),
  wholly(alterUserScramCredentialsApi, clusterRefusal(Op.ALTER), refuseChanges),
  wholly(alterClientQuotasApi, clusterRefusal(Op.ALTER_CONFIGS), refuseQuotas),
  clusterWide(describeClientQuotasApi, Op.DESCRIBE_CONFIGS),
  clusterWide(describeAclsApi, Op.DESCRIBE),
  clusterWide(describeLogDirsApi, Op.DESCRIBE),
  clusterWide(describeQuorumApi, Op.DESCRIBE),
  clusterWide(describeUserScramCredentialsApi, Op.DESCRIBE),
  clusterWide(listPartitionReassignmentsApi, Op.DESCRIBE),
  clusterWide(alterPartitionReassignmentsApi, Op.ALTER),
  clusterWide(electLeadersApi, Op.ALTER),
  clusterWide(updateFeaturesApi, Op.ALTER),
  clusterWide(listConfigResourcesApi, Op.DESCRIBE_CONFIGS),
];
