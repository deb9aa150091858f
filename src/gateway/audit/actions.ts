import { entityKey } from '../../quota/entity.ts';
import { entityOf } from '../../metadata/quota-entities.ts';
import { AclOperation, AclPattern, AclPermission, AclResource } from '../../security/acl.ts';
import { createTopicsApi } from '../../wire/apis/19-create-topics.ts';
import { deleteTopicsApi } from '../../wire/apis/20-delete-topics.ts';
import { deleteRecordsApi } from '../../wire/apis/21-delete-records.ts';
import { writeTxnMarkersApi } from '../../wire/apis/27-write-txn-markers.ts';
import { createAclsApi } from '../../wire/apis/30-create-acls.ts';
import { deleteAclsApi } from '../../wire/apis/31-delete-acls.ts';
import { alterConfigsApi } from '../../wire/apis/33-alter-configs.ts';
import { alterReplicaLogDirsApi } from '../../wire/apis/34-alter-replica-log-dirs.ts';
import { createPartitionsApi } from '../../wire/apis/37-create-partitions.ts';
import { deleteGroupsApi } from '../../wire/apis/42-delete-groups.ts';
import { electLeadersApi } from '../../wire/apis/43-elect-leaders.ts';
import { incrementalAlterConfigsApi } from '../../wire/apis/44-incremental-alter-configs.ts';
import { alterPartitionReassignmentsApi } from '../../wire/apis/45-alter-partition-reassignments.ts';
import { offsetDeleteApi } from '../../wire/apis/47-offset-delete.ts';
import { alterClientQuotasApi } from '../../wire/apis/49-alter-client-quotas.ts';
import { alterUserScramCredentialsApi } from '../../wire/apis/51-alter-user-scram-credentials.ts';
import { updateFeaturesApi } from '../../wire/apis/57-update-features.ts';
import { alterShareGroupOffsetsApi } from '../../wire/apis/91-alter-share-group-offsets.ts';
import { deleteShareGroupOffsetsApi } from '../../wire/apis/92-delete-share-group-offsets.ts';
import type { Api, RequestOf, ResponseOf } from '../../wire/schema.ts';

/** One thing that somebody did, or wanted to do, with one resource. */
export interface Action {
  /** `topic orders`: what it is, and its name. */
  readonly resource: string;
  readonly errorCode: number;
  /** What else there is to know. Names and numbers: never what a setting is set to, nor anything of a password. */
  readonly about?: Readonly<Record<string, unknown>>;
}

type Describe<A extends Api> = (request: RequestOf<A>, answer: ResponseOf<A>) => Action[];

const TABLE: [Api, Describe<never>][] = [];

function audited<A extends Api>(api: A, describe: Describe<A>): void {
  TABLE.push([api, describe as Describe<never>]);
}

interface Partitions {
  name: string;
  partitions: readonly { partitionIndex: number; errorCode: number }[];
}

/** Of an answer partition by partition. */
function ofPartitions(topics: readonly Partitions[]): Action[] {
  return topics.flatMap(({ name, partitions }) =>
    partitions.map(({ partitionIndex, errorCode }) => ({
      resource: `partition ${name}-${partitionIndex}`,
      errorCode,
    })),
  );
}

/** An error of the request as a whole, where nothing is said of its parts. */
function orWhole(actions: Action[], resource: string, errorCode: number): Action[] {
  return actions.length > 0 ? actions : [{ resource, errorCode }];
}

audited(createTopicsApi, ({ topics: asked }, { topics }) =>
  topics.map(({ name, errorCode, numPartitions }) => {
    const configs = asked.find((topic) => topic.name === name)?.configs.map((config) => config.name);
    return { resource: `topic ${name}`, errorCode, about: { partitions: numPartitions, configs } };
  }),
);
audited(deleteTopicsApi, (_, { responses }) =>
  responses.map(({ name, topicId, errorCode }) => ({
    resource: `topic ${name ?? topicId}`,
    errorCode,
    about: { topicId },
  })),
);
audited(createPartitionsApi, ({ topics }, { results }) =>
  results.map(({ name, errorCode }) => ({
    resource: `topic ${name}`,
    errorCode,
    about: { partitions: topics.find((topic) => topic.name === name)?.count },
  })),
);
audited(deleteRecordsApi, ({ topics: asked }, { topics }) =>
  ofPartitions(topics).map((action) => {
    const before = asked.flatMap(({ name, partitions }) =>
      partitions.filter(({ partitionIndex }) => action.resource === `partition ${name}-${partitionIndex}`),
    );
    return { ...action, about: { before: before[0]?.offset } };
  }),
);
audited(writeTxnMarkersApi, (_, { markers }) => markers.flatMap(({ topics }) => ofPartitions(topics)));
audited(alterReplicaLogDirsApi, (_, { results }) =>
  ofPartitions(results.map(({ topicName: name, partitions }) => ({ name, partitions }))),
);
audited(alterPartitionReassignmentsApi, (_, { responses, errorCode }) =>
  orWhole(ofPartitions(responses), 'cluster', errorCode),
);
audited(electLeadersApi, (_, { replicaElectionResults, errorCode }) => {
  const topics = replicaElectionResults.map(({ topic: name, partitionResult }) => ({
    name,
    partitions: partitionResult.map(({ partitionId, errorCode: code }) => ({
      partitionIndex: partitionId,
      errorCode: code,
    })),
  }));
  return orWhole(ofPartitions(topics), 'cluster', errorCode);
});

interface ConfiguredResource {
  resourceType: number;
  resourceName: string;
}
const RESOURCES: Readonly<Record<number, string>> = {
  2: 'topic',
  4: 'broker',
  8: 'logger',
  16: 'client-metrics',
  32: 'group',
};
const resourceOf = ({ resourceType, resourceName }: ConfiguredResource) =>
  `${RESOURCES[resourceType] ?? resourceType} ${resourceName === '' ? '(default)' : resourceName}`;

function ofConfigs(
  asked: readonly (ConfiguredResource & { configs: readonly { name: string }[] })[],
  responses: readonly (ConfiguredResource & { errorCode: number })[],
): Action[] {
  return responses.map((response) => {
    const resource = asked.find(
      ({ resourceType, resourceName }) =>
        resourceType === response.resourceType && resourceName === response.resourceName,
    );
    const configs = resource?.configs.map(({ name }) => name);
    return { resource: resourceOf(response), errorCode: response.errorCode, about: { configs } };
  });
}
audited(alterConfigsApi, ({ resources }, { responses }) => ofConfigs(resources, responses));
audited(incrementalAlterConfigsApi, ({ resources }, { responses }) => ofConfigs(resources, responses));

const nameIn = (names: Readonly<Record<string, number>>, number: number) =>
  (Object.entries(names).find(([, value]) => value === number)?.[0] ?? String(number)).toLowerCase();

interface Rule {
  resourceType: number;
  resourceName: string;
  patternType: number;
  principal: string;
  host: string;
  operation: number;
  permissionType: number;
}

function ofRule({ resourceType, resourceName, patternType, ...rule }: Rule, errorCode: number): Action {
  const { principal, host, operation, permissionType } = rule;
  return {
    resource: `acl ${nameIn(AclResource, resourceType)} ${resourceName}`,
    errorCode,
    about: {
      pattern: nameIn(AclPattern, patternType),
      permission: nameIn(AclPermission, permissionType),
      of: principal,
      host,
      operation: nameIn(AclOperation, operation),
    },
  };
}
audited(createAclsApi, ({ creations }, { results }) =>
  creations.map(({ resourcePatternType: patternType, ...rule }, at) =>
    ofRule({ ...rule, patternType }, results[at]?.errorCode ?? 0),
  ),
);
audited(deleteAclsApi, (_, { filterResults }) =>
  filterResults.flatMap(({ matchingAcls, errorCode }) =>
    errorCode === 0
      ? matchingAcls.map((rule) => ofRule(rule, rule.errorCode))
      : [{ resource: 'acl', errorCode }],
  ),
);

audited(deleteGroupsApi, (_, { results }) =>
  results.map(({ groupId, errorCode }) => ({ resource: `group ${groupId}`, errorCode })),
);
audited(offsetDeleteApi, ({ groupId }, { topics, errorCode }) => {
  const resource = `group ${groupId}`;
  const actions = ofPartitions(topics).map((action) => ({
    resource,
    errorCode: action.errorCode,
    about: { of: action.resource },
  }));
  return orWhole(actions, resource, errorCode);
});
audited(alterShareGroupOffsetsApi, ({ groupId }, { responses, errorCode }) => {
  const topics = responses.map(({ topicName: name, partitions }) => ({ name, partitions }));
  const resource = `group ${groupId}`;
  const actions = ofPartitions(topics).map((action) => ({
    resource,
    errorCode: action.errorCode,
    about: { of: action.resource },
  }));
  return orWhole(actions, resource, errorCode);
});
audited(deleteShareGroupOffsetsApi, ({ groupId }, { responses, errorCode: whole }) => {
  const resource = `group ${groupId}`;
  const actions = responses.map(({ topicName, errorCode }) => ({
    resource,
    errorCode,
    about: { of: `topic ${topicName}` },
  }));
  return orWhole(actions, resource, whole);
});
audited(alterClientQuotasApi, ({ entries: asked }, { entries }) =>
  entries.map(({ entity, errorCode }, at) => ({
    resource: `quota ${entityKey(entityOf(entity))}`,
    errorCode,
    about: { quotas: asked[at]?.ops.map(({ key, value, remove }) => (remove ? key : `${key}=${value}`)) },
  })),
);
audited(alterUserScramCredentialsApi, ({ deletions, upsertions }, { results }) =>
  results.map(({ user, errorCode }) => ({
    resource: `user ${user}`,
    errorCode,
    about: {
      set: upsertions.filter(({ name }) => name === user).map(({ mechanism }) => mechanism),
      removed: deletions.filter(({ name }) => name === user).map(({ mechanism }) => mechanism),
    },
  })),
);
audited(updateFeaturesApi, ({ featureUpdates }, { errorCode, results }) =>
  featureUpdates.map(({ feature, maxVersionLevel: level }) => ({
    resource: `feature ${feature}`,
    errorCode: results.find((result) => result.feature === feature)?.errorCode ?? errorCode,
    about: { level },
  })),
);

export const ACTIONS: ReadonlyMap<number, Describe<never>> = new Map(
  TABLE.map(([api, describe]) => [api.key, describe]),
);

/** APIs that change something for more than who asks; new ones are told of, if not in detail, by their name. */
const CHANGES = /^(Alter|Create|Delete|Elect|IncrementalAlter|Update|WriteTxn)|OffsetDelete$/;

export function isAdminApi({ key, name }: Api): boolean {
  return ACTIONS.has(key) || CHANGES.test(name);
}

export function actionsOf(api: Api, request: unknown, answer: unknown): Action[] {
  const describe = ACTIONS.get(api.key);
  if (describe !== undefined) return describe(request as never, answer as never);
  const { errorCode = 0 } = answer as { errorCode?: number };
  return [{ resource: 'cluster', errorCode }];
}
